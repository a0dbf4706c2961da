//! What every variant does, whatever its executor and client.

use std::net::TcpListener;
use std::num::NonZeroUsize;

use runtime_lab::for_each_variant;
use runtime_lab::runtimes::{Environment, of};
use runtime_lab::transcript::ExchangeOutcome;

use crate::canned::{Canned, End, Reply, failure, job, run};

const DONE: &str = "{\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"eval_count\":3}\n";

/// Several lines in a chunk, and a line in several chunks.
fn whole_stream() -> Reply {
    Reply::stream(["{\"response\":\"a\"}\n{\"response\":\"b\"}\n", "{\"resp", "onse\":\"c\"}\n", DONE])
}

for_each_variant! {
    fn the_bytes_are_those_that_were_served(variant: Variant) {
        let reply = whole_stream();
        let agent = Canned::new(reply.clone()).ask(of(variant));
        let exchange = &agent.exchanges[0];
        assert_eq!(exchange.body, reply.body());
        assert_eq!(exchange.pieces.iter().map(|piece| piece.bytes).sum::<u64>(), exchange.body.len() as u64);
        let done = ExchangeOutcome::Done { eval_count: Some(3), done_reason: Some("stop".to_owned()) };
        assert_eq!((exchange.status, &exchange.outcome), (200, &done));
    }
}

for_each_variant! {
    fn every_line_is_seen_with_its_end_and_whether_it_is_a_token(variant: Variant) {
        let agent = Canned::new(whole_stream()).ask(of(variant));
        let lines: Vec<_> = agent.exchanges[0].lines.iter().map(|line| (line.body_end, line.token)).collect();
        assert_eq!(lines, [(17, true), (34, true), (51, true), (51 + DONE.len() as u64, false)]);
    }
}

for_each_variant! {
    fn half_a_character_at_a_chunk_edge_stays_whole(variant: Variant) {
        let line = "{\"response\":\"😀\"}\n".as_bytes();
        let reply = Reply::stream([&line[..15], &line[15..], DONE.as_bytes()]);
        let agent = Canned::new(reply.clone()).ask(of(variant));
        let exchange = &agent.exchanges[0];
        assert_eq!(exchange.pieces[0].bytes, 15, "the chunk edge reached the client");
        assert_eq!((&exchange.body, exchange.lines.len()), (&reply.body(), 2));
        assert!(matches!(exchange.outcome, ExchangeOutcome::Done { .. }));
    }
}

for_each_variant! {
    fn an_error_line_after_200_is_a_typed_error(variant: Variant) {
        let reply = Reply::stream(["{\"response\":\"a\"}\n", "{\"error\":\"model runner stopped\"}\n"]);
        let agent = Canned::new(reply.clone()).ask(of(variant));
        let failed = ("error-line", "the server reported in line 2: model runner stopped");
        assert_eq!((failure(&agent), &agent.exchanges[0].body), (failed, &reply.body()));
    }
}

for_each_variant! {
    fn a_stream_without_a_final_object_is_a_typed_error_and_keeps_its_bytes(variant: Variant) {
        let reply = Reply::stream(["{\"response\":\"a\"}\n", "{\"response\":\"b\"}\n"]);
        let agent = Canned::new(reply.clone()).ask(of(variant));
        let failed = ("missing-done", "the stream ended after 2 lines without a final object");
        assert_eq!((failure(&agent), &agent.exchanges[0].body), (failed, &reply.body()));
    }
}

for_each_variant! {
    fn bytes_after_an_error_are_kept_wherever_the_body_was_cut(variant: Variant) {
        let reply = Reply::stream(["not JSON\n", "{\"response\":\"a\"}\n", DONE]);
        let agent = Canned::new(reply.clone()).ask(of(variant));
        assert_eq!((failure(&agent).0, &agent.exchanges[0].body), ("not-json", &reply.body()));
        assert_eq!(agent.exchanges[0].lines, []);
    }
}

for_each_variant! {
    fn a_body_that_breaks_off_is_a_typed_error_and_keeps_what_came(variant: Variant) {
        let reply = Reply { end: End::Cut, ..Reply::stream(["{\"response\":\"a\"}\n", "{\"respo"]) };
        let agent = Canned::new(reply.clone()).ask(of(variant));
        let failed = ("body-cut", "the connection was closed in the middle of the body");
        assert_eq!((failure(&agent), &agent.exchanges[0].body), (failed, &reply.body()));
    }
}

for_each_variant! {
    fn an_error_status_is_a_typed_error_in_the_words_of_the_server(variant: Variant) {
        let reply = Reply { status: 404, ..Reply::stream(["{\"error\":\"model 'ghost'", " not found\"}"]) };
        let agent = Canned::new(reply.clone()).ask(of(variant));
        let failed = ("status", "the server answered 404: model 'ghost' not found");
        assert_eq!((failure(&agent), &agent.exchanges[0].body), (failed, &reply.body()));
    }
}

for_each_variant! {
    fn an_error_body_that_is_not_json_is_the_message(variant: Variant) {
        let reply = Reply { status: 502, ..Reply::stream(["upstream timed out\n"]) };
        let agent = Canned::new(reply).ask(of(variant));
        assert_eq!(failure(&agent).1, "the server answered 502: upstream timed out");
    }
}

for_each_variant! {
    fn a_server_that_says_nothing_is_a_typed_error(variant: Variant) {
        let reply = Reply { end: End::NoHead, ..whole_stream() };
        let agent = Canned::new(reply).ask(of(variant));
        assert_eq!((failure(&agent), agent.exchanges[0].status), (("no-response", "no response came"), 0));
        assert_eq!(agent.exchanges[0].head, None);
    }
}

for_each_variant! {
    fn a_server_that_is_not_there_is_a_typed_error(variant: Variant) {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let transcript = run(of(variant), &job(&format!("http://{closed}"), 1, 1));
        assert_eq!(failure(&transcript.agents[0]), ("connect", "the server cannot be reached"));
    }
}

for_each_variant! {
    fn a_request_carries_its_agent_and_its_body(variant: Variant) {
        let canned = Canned::new(whole_stream());
        canned.ask(of(variant));
        let request = canned.seen().requests.remove(0);
        assert!(request.starts_with("post /api/generate http/1.1\r\n"), "{request}");
        for header in ["x-mock-caller: agent-0", "content-type: application/json", "accept: application/x-ndjson"] {
            assert!(request.contains(&format!("\r\n{header}\r\n")), "{header} is not in {request}");
        }
        assert!(request.ends_with("\r\n\r\n{\"model\":\"canned\",\"prompt\":\"0\"}"), "{request}");
    }
}

for_each_variant! {
    fn an_agent_sends_its_requests_one_after_the_other_even_past_a_failure(variant: Variant) {
        let canned = Canned::new(Reply { end: End::CleanThenClosed, status: 503, ..whole_stream() });
        let transcript = run(of(variant), &canned.job(1, 3));
        let exchanges = &transcript.agents[0].exchanges;
        assert_eq!(exchanges.iter().map(|exchange| exchange.exchange).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(exchanges.iter().map(|exchange| exchange.status).collect::<Vec<_>>(), [503, 503, 503]);
        assert!(exchanges.is_sorted_by(|one, next| one.ended <= next.sent));
    }
}

for_each_variant! {
    fn all_agents_are_in_flight_together(variant: Variant) {
        // The server answers nobody until everybody has asked: without overlap this never ends.
        let canned = Canned::new(Reply { together: 4, ..whole_stream() });
        let transcript = run(of(variant), &canned.job(4, 2));
        let done = |outcome: &ExchangeOutcome| matches!(outcome, ExchangeOutcome::Done { .. });
        assert!(transcript.agents.iter().flat_map(|agent| &agent.exchanges).all(|exchange| done(&exchange.outcome)));
    }
}

for_each_variant! {
    fn a_limit_of_one_lets_one_agent_through_at_a_time(variant: Variant) {
        let canned = Canned::new(whole_stream());
        let mut job = canned.job(3, 1);
        job.limit = NonZeroUsize::new(1);
        let mut spans: Vec<_> = run(of(variant), &job)
            .agents
            .iter()
            .map(|agent| (agent.exchanges[0].sent, agent.exchanges[0].ended))
            .collect();
        spans.sort_unstable();
        assert!(spans.is_sorted_by(|one, next| one.1 <= next.0), "{spans:?}");
    }
}

for_each_variant! {
    fn logs_stand_in_the_order_of_the_job(variant: Variant) {
        let transcript = run(of(variant), &Canned::new(whole_stream()).job(5, 1));
        let names: Vec<_> = transcript.agents.iter().map(|agent| agent.agent.as_str()).collect();
        assert_eq!(names, ["agent-0", "agent-1", "agent-2", "agent-3", "agent-4"]);
    }
}

for_each_variant! {
    fn every_agent_is_a_task_of_its_own(variant: Variant) {
        let transcript = run(of(variant), &Canned::new(whole_stream()).job(40, 1));
        let mut tasks: Vec<_> = transcript.agents.iter().map(|agent| agent.task).collect();
        tasks.sort_unstable();
        assert_eq!(tasks, (0..40).collect::<Vec<_>>());
    }
}

for_each_variant! {
    fn only_threads_of_the_variant_poll_and_wake_its_agents(variant: Variant) {
        let transcript = run(of(variant), &Canned::new(whole_stream()).job(8, 2));
        for agent in transcript.agents {
            assert!(!agent.polled_on.is_empty() && !agent.woken_by.is_empty());
            let foreign: Vec<_> =
                agent.polled_on.union(&agent.woken_by).filter(|name| !variant.owns_thread(name)).collect();
            assert_eq!(foreign, [""; 0]);
        }
    }
}

for_each_variant! {
    fn instants_are_in_the_order_of_events(variant: Variant) {
        let transcript = run(of(variant), &Canned::new(whole_stream()).job(2, 2));
        for agent in &transcript.agents {
            let mut instants = vec![transcript.started, agent.started];
            for exchange in &agent.exchanges {
                instants.extend([exchange.sent, exchange.head.unwrap()]);
                instants.extend(exchange.pieces.iter().map(|piece| piece.at));
                instants.push(exchange.ended);
                assert!(exchange.lines.iter().all(|line| exchange.pieces.iter().any(|piece| piece.at == line.at)));
            }
            instants.extend([agent.ended, transcript.ended]);
            assert!(instants.is_sorted(), "{instants:?}");
        }
    }
}

for_each_variant! {
    fn a_runtime_says_what_it_is(variant: Variant) {
        let transcript = run(of(variant), &Canned::new(whole_stream()).job(1, 1));
        let (executor, client) = match variant.name() {
            "tokio-default" => ("tokio, multi-thread, ", "reqwest; chunks as received"),
            "tokio-localset" => ("tokio, current-thread, 1 worker, LocalSet", "reqwest; chunks as received"),
            "async-std" => ("async-std, global executor", "hyper; chunks as received"),
            "smol" => ("async_executor::LocalExecutor", "hyper; chunks as received"),
            _ => ("async_executor::LocalExecutor", "hyper, reads of at most 1024 bytes; chunks at most 1024"),
        };
        let introspection = transcript.introspection;
        assert!(introspection.executor.starts_with(executor), "{introspection:?}");
        assert_eq!(introspection.client, client);
        if cfg!(target_os = "linux") {
            assert!(introspection.threads.iter().any(|name| variant.owns_thread(name)), "{introspection:?}");
        }
    }
}

for_each_variant! {
    fn a_url_that_is_not_one_is_refused_before_anything_runs(variant: Variant) {
        let refused = of(variant).run(&job("http://localhost:1", 1, 1), &Environment::Wall(crate::canned::clock())).unwrap_err();
        assert_eq!(refused.to_string(), "cannot build the client");
    }
}

for_each_variant! {
    fn no_piece_is_longer_than_the_cap_and_nothing_is_lost_by_it(variant: Variant) {
        let text = "x".repeat(5000);
        let reply = Reply::stream([format!("{{\"response\":\"{text}\"}}\n{DONE}")]);
        let exchange = Canned::new(reply.clone()).ask(of(variant)).exchanges.remove(0);
        let longest = exchange.pieces.iter().map(|piece| piece.bytes).max().unwrap();
        match variant.read_cap() {
            Some(cap) => assert!(longest <= cap.get() as u64),
            None => assert!(longest > 1024),
        }
        assert_eq!((exchange.body, exchange.lines.len()), (reply.body(), 2));
    }
}

for_each_variant! {
    fn a_long_response_head_is_refused_where_reads_are_capped(variant: Variant) {
        let padded = Reply { headers: format!("x-padding: {}\r\n", "x".repeat(1100)), ..whole_stream() };
        let agent = Canned::new(padded).ask(of(variant));
        if variant.read_cap().is_some() {
            let words = "the response head is longer than 1024 bytes, the cap on the reads of this client";
            assert_eq!(failure(&agent), ("head-too-long", words));
        } else {
            assert!(matches!(agent.exchanges[0].outcome, ExchangeOutcome::Done { .. }));
        }
    }
}
