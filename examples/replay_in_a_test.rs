//! How a test of your own Ollama client begins: a server with a recorded answer, here read with reqwest on tokio.
//!
//! Run it with `cargo run --example replay_in_a_test`; the tokens appear as they did when they were recorded, four times
//! as fast.

use std::error::Error;
use std::io::Write as _;

use mock_ollama::{MockOllama, Pace, RequestBody, builtin};

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(replay())
}

async fn replay() -> Result<(), Box<dyn Error>> {
    let server = MockOllama::builder().builtin("pair-b").pace(Pace::recorded().faster(4.0)).start()?;

    let url = format!("{}/api/generate", server.url());
    let mut answer = reqwest::Client::new().post(url).body(question()?).send().await?;
    let (mut pieces, mut rest, mut text) = (0, Vec::new(), String::new());
    while let Some(piece) = answer.chunk().await? {
        pieces += 1;
        rest.extend_from_slice(&piece);
        // A piece may hold several lines, or half a one.
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let object: serde_json::Value = serde_json::from_slice(&line)?;
            let token = object["response"].as_str().ok_or("not an answer of /api/generate")?;
            print!("{token}");
            std::io::stdout().flush()?;
            text += token;
        }
    }
    println!("\n\n{} characters in {pieces} pieces", text.chars().count());

    // Fails when a request matched no recording: a client that swallows errors cannot hide a wrong one.
    let journal = server.finish()?;
    assert_eq!(journal.max_in_flight, 1);
    Ok(())
}

/// The request as it was recorded. By default only the right question is answered.
fn question() -> Result<String, Box<dyn Error>> {
    let recording = builtin::recording("pair-b").ok_or("it is built in")??;
    match recording.exchanges[0].request.as_ref().and_then(|request| request.body.as_ref()) {
        Some(RequestBody::Json(body)) => Ok(body.to_string()),
        _ => Err("its request is JSON".into()),
    }
}
