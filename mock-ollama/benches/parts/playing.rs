//! An engine without a driver, for benches: clients ask, and every chunk leaves when it is due.

use std::sync::Arc;

use mock_ollama::catalog::Catalog;
use mock_ollama::clock::Instant;
use mock_ollama::engine::{Action, Config, Engine};
use mock_ollama::journal::{ConnId, ServerId};
use mock_ollama::recording::{Recording, RequestBody};

/// A request that the recording answers.
pub(crate) fn request(recording: &Recording) -> Vec<u8> {
    let known = recording.exchanges[0].request.as_ref().expect("the request is recorded");
    let body = match &known.body {
        Some(RequestBody::Json(json)) => json.to_string(),
        _ => panic!("the body is JSON"),
    };
    format!("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", known.path, body.len())
        .into_bytes()
}

/// An engine in which that many clients have sent their request; nothing has left yet.
pub(crate) fn asked(catalog: &Arc<Catalog>, request: &[u8], streams: u64) -> Engine {
    let mut engine = Engine::new(Config { catalog: Arc::clone(catalog), ..Config::default() });
    for conn in (1..=streams).map(ConnId) {
        engine.handle_connected(conn, ServerId(0), Instant::ZERO);
        engine.handle_input(conn, request, Instant::ZERO);
    }
    engine
}

/// Lets every chunk leave when it is due; answers with the number of actions.
pub(crate) fn play(engine: &mut Engine) -> u64 {
    let mut actions = 0;
    while let Some(due) = engine.poll_due() {
        while let Some(step) = engine.poll_step(due) {
            if let Some(Action::Write { conn, bytes }) = step.action {
                engine.handle_written(conn, bytes.len(), due);
            }
            actions += 1;
        }
    }
    actions
}
