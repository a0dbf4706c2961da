//! A client of your own in virtual time, on an executor of your choice: two agents that ask, think and ask again.
//!
//! Run it with `cargo run --example own_client_in_virtual_time`. It takes no time, and always prints the same.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::handshake;
use mock_ollama::catalog::{Catalog, Matching, builtin};
use mock_ollama::engine::Config;
use mock_ollama::journal::StreamId;
use runtime_lab::sim::{Sim, SimSettings};

type Failed = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failed> {
    let recording = builtin::recording("tiny-emoji").ok_or("a recording of that name")??;
    let config = Config { catalog: Catalog::new([recording]).into(), matching: Matching::Any, ..Config::default() };
    let sim = Sim::in_memory(config, SimSettings::default());
    // Agents are made first, in the order in which they are to begin; then they are spawned on any executor.
    let agents = ["one", "other"].map(|name| sim.agent(name, agent(sim.clone(), name)));
    let tasks = agents.map(smol::spawn);
    sim.start();
    smol::block_on(async {
        for task in tasks {
            task.await.ok_or("it did not come to its end")??;
        }
        sim.finished().await?;
        Ok(())
    })
}

async fn agent(sim: Sim, name: &'static str) -> Result<(), Failed> {
    for exchange in 0..2 {
        // Who sends at the same instant sends in the order of names.
        let stream = StreamId::of(name, exchange);
        sim.sleep_until(sim.now().saturating_add(Duration::from_secs(1)), &stream).await;
        let sent = sim.now();
        let (mut client, connection) = handshake(sim.connect()?).await?;
        // The connection is a task as well: registered, and spawned on the same executor.
        smol::spawn(sim.service("a connection", connection)).detach();
        let ask = Request::post("/api/generate").header("host", "localhost").header("x-mock-caller", name);
        let body = Full::new(Bytes::from_static(br#"{"model":"any","prompt":"hello"}"#));
        let mut answer = client.send_request(ask.body(body)?).await?.into_body();
        let mut bytes = 0;
        while let Some(frame) = answer.frame().await {
            bytes += frame?.data_ref().map_or(0, Bytes::len);
        }
        println!("{name}, exchange {exchange}: sent at {sent}, {bytes} bytes by {}", sim.now());
    }
    Ok(())
}
