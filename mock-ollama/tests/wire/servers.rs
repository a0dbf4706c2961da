//! Several servers of one machine: a scheduler for each, one device and one folder of models for all.

use std::num::NonZeroUsize;
use std::time::Duration;

use mock_ollama::backend::{LoadLimits, Settings};
use mock_ollama::clock::Instant;
use mock_ollama::journal::{ConnId, ServerId};
use serde_json::{Value, json};

use crate::bench::{Bench, parse};
use crate::w_scheduling::{ALONE, LOAD, SHARED, asks_at, cold, last, machine, play};

const ONE: ServerId = ServerId(0);
const OTHER: ServerId = ServerId(1);

/// One slot for each model of a server, and a device that loses nothing by sharing.
fn shared_device() -> Bench {
    machine(Settings { parallel: NonZeroUsize::new(1), share: "0.5".parse().unwrap(), ..Settings::default() })
}

fn hi(bench: &mut Bench, server: ServerId) -> ConnId {
    asks_at(bench, server, &json!({ "model": "llama", "prompt": "hi" }))
}

/// Lets everything happen; how long after `since` each of these had its last byte.
fn ends<const N: usize>(bench: &mut Bench, conns: [ConnId; N], since: Instant) -> [Duration; N] {
    let answers = play(bench);
    let since = Duration::from_nanos(since.as_nanos());
    conns.map(|conn| last(&answers[&conn]).saturating_sub(since))
}

fn get(bench: &mut Bench, server: ServerId, path: &str) -> Value {
    let conn = bench.open_to(server, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    let writes = bench.run(conn);
    parse(writes).json()
}

/// The models that `/api/ps` or `/api/tags` lists.
fn listed(bench: &mut Bench, server: ServerId, path: &str) -> Vec<String> {
    let listing = get(bench, server, path);
    let names = listing["models"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap().to_owned());
    names.collect()
}

fn loaded(bench: &mut Bench, server: ServerId) -> Vec<String> {
    listed(bench, server, "/api/ps")
}

/// Loads a model on servers.
fn warm(bench: &mut Bench, servers: &[ServerId]) {
    for server in servers {
        hi(bench, *server);
    }
    play(bench);
}

#[test]
fn on_two_servers_nobody_waits_and_both_are_as_slow_as_the_device_they_share() {
    let mut bench = shared_device();
    let conns = [hi(&mut bench, ONE), hi(&mut bench, OTHER)];
    assert_eq!(ends(&mut bench, conns, Instant::ZERO), [SHARED, SHARED]);
}

#[test]
fn on_one_server_with_one_slot_the_second_waits_its_turn_and_both_have_full_speed() {
    let mut bench = shared_device();
    let conns = [hi(&mut bench, ONE), hi(&mut bench, ONE)];
    assert_eq!(ends(&mut bench, conns, Instant::ZERO), [ALONE, ALONE * 2]);
}

#[test]
fn who_waits_at_one_server_is_not_let_in_by_an_end_at_another() {
    let mut bench = machine(Settings { parallel: NonZeroUsize::new(1), ..Settings::default() });
    let conns = [hi(&mut bench, ONE), hi(&mut bench, ONE), hi(&mut bench, OTHER), hi(&mut bench, OTHER)];
    assert_eq!(ends(&mut bench, conns, Instant::ZERO), [ALONE, ALONE * 2, ALONE, ALONE * 2]);
}

#[test]
fn two_servers_load_at_once_and_neither_load_is_lost_although_both_end_at_one_instant() {
    let mut bench = cold(512);
    let conns = [hi(&mut bench, OTHER), hi(&mut bench, ONE)];
    assert_eq!(ends(&mut bench, conns, Instant::ZERO), [LOAD + ALONE, LOAD + ALONE]);
}

#[test]
fn loads_that_end_at_one_instant_end_in_the_order_of_the_servers_no_matter_which_was_asked_first() {
    for asked in [[ONE, OTHER], [OTHER, ONE]] {
        let mut bench = cold(512);
        for server in asked {
            hi(&mut bench, server);
        }
        let ends = [(); 2].map(|()| {
            let (at, stream, _) = bench.engine.poll_place().cloned().unwrap();
            bench.engine.poll_step(at).unwrap();
            (at, stream.exchange)
        });
        let at = Instant::ZERO.saturating_add(LOAD);
        assert_eq!(ends, [(at, ONE.0), (at, OTHER.0)]);
    }
}

#[test]
fn a_model_that_one_server_has_loaded_is_not_loaded_on_another() {
    let mut bench = cold(512);
    warm(&mut bench, &[ONE]);
    assert_eq!((loaded(&mut bench, ONE), loaded(&mut bench, OTHER)), (vec!["llama:latest".to_owned()], vec![]));
    let since = bench.now;
    let conn = hi(&mut bench, OTHER);
    assert_eq!(ends(&mut bench, [conn], since), [LOAD + ALONE]);
}

#[test]
fn a_reload_on_one_server_holds_nobody_up_on_another() {
    let mut bench = cold(512);
    warm(&mut bench, &[ONE, OTHER]);
    let since = bench.now;
    let wider = json!({ "model": "llama", "prompt": "hi", "options": { "num_ctx": 1024 } });
    let conns = [asks_at(&mut bench, ONE, &wider), hi(&mut bench, ONE), hi(&mut bench, OTHER)];
    // On the server that loads again, who comes behind waits for its own load: it asks for yet other options.
    assert_eq!(ends(&mut bench, conns, since), [LOAD + ALONE, LOAD + ALONE + LOAD + ALONE, ALONE]);
}

#[test]
fn a_full_queue_of_one_server_refuses_nobody_at_another() {
    let mut bench = cold(1);
    let ask = |bench: &mut Bench, server, model| asks_at(bench, server, &json!({ "model": model, "prompt": "hi" }));
    let conns = ["llama", "think", "q3"].map(|model| ask(&mut bench, ONE, model));
    let elsewhere = ask(&mut bench, OTHER, "q3");
    let answers = play(&mut bench);
    assert_eq!(conns.map(|conn| answers[&conn].status), [200, 200, 503]);
    assert_eq!(answers[&elsewhere].status, 200);
}

#[test]
fn what_one_server_unloads_or_evicts_stays_on_another() {
    let loads = Some(LoadLimits { loaded: NonZeroUsize::new(1), ..LoadLimits::default() });
    let mut bench = machine(Settings { loads, ..Settings::default() });
    warm(&mut bench, &[ONE, OTHER]);
    asks_at(&mut bench, ONE, &json!({ "model": "think", "prompt": "hi" }));
    play(&mut bench);
    assert_eq!(
        (loaded(&mut bench, ONE), loaded(&mut bench, OTHER)),
        (vec!["think:latest".to_owned()], vec!["llama:latest".to_owned()])
    );
    asks_at(&mut bench, OTHER, &json!({ "model": "llama", "keep_alive": 0 }));
    play(&mut bench);
    assert_eq!((loaded(&mut bench, ONE), loaded(&mut bench, OTHER)), (vec!["think:latest".to_owned()], vec![]));
}

#[test]
fn who_hangs_up_on_one_server_while_it_loads_leaves_the_load_of_another_alone() {
    let mut bench = cold(512);
    let [gone, stays] = [hi(&mut bench, ONE), hi(&mut bench, OTHER)];
    bench.engine.handle_closed(gone, bench.now);
    assert_eq!(ends(&mut bench, [stays], Instant::ZERO), [LOAD + ALONE]);
    assert_eq!(loaded(&mut bench, ONE), ["llama:latest"], "a load that has begun goes on");
}

#[test]
fn which_models_there_are_is_the_same_on_every_server() {
    let mut bench = cold(512);
    let body = json!({ "model": "llama" }).to_string();
    let head = "DELETE /api/delete HTTP/1.1\r\nHost: localhost\r\nConnection: close";
    let conn = bench.open_to(OTHER, format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    let writes = bench.run(conn);
    assert_eq!(parse(writes).status, 200);
    for server in [ONE, OTHER] {
        assert!(!listed(&mut bench, server, "/api/tags").contains(&"llama:latest".to_owned()));
    }
}

#[test]
fn the_journal_says_which_server_was_asked_where_it_was_not_the_first() {
    let mut bench = shared_device();
    hi(&mut bench, ONE);
    hi(&mut bench, OTHER);
    play(&mut bench);
    let journal = bench.engine.journal();
    let entries = serde_json::to_value(&journal.entries).unwrap();
    assert_eq!((entries[0].get("server"), entries[1].get("server")), (None, Some(&json!(1))));
    let read: Vec<mock_ollama::journal::Entry> = serde_json::from_value(entries.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), entries);
}
