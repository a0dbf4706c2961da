//! Two agents on a runtime of your choice, here smol, and the server's word that they were served at the same time.
//!
//! Run it with `cargo run --example own_runtime`.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use mock_ollama::{Matching, MockOllama, Pace};
use smol::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use smol::net::TcpStream;
use smol::stream::StreamExt as _;

fn main() -> Result<(), Box<dyn Error>> {
    let server = MockOllama::builder().builtin("tiny-long").matching(Matching::Any).pace(Pace::recorded()).start()?;
    let addr = server.addr();
    let tokens = smol::block_on(async move {
        let agents = ["one", "other"].map(|name| smol::spawn(agent(name, addr)));
        let mut tokens = Vec::new();
        for agent in agents {
            tokens.push(agent.await?);
        }
        io::Result::Ok(tokens)
    })?;
    println!("tokens by agent: {tokens:?}");
    let journal = server.finish()?;
    println!("streams in progress at once, says the server: {}", journal.max_in_flight);
    Ok(())
}

/// Asks one question and counts the tokens of the answer.
async fn agent(name: &str, addr: SocketAddr) -> io::Result<usize> {
    let mut socket = TcpStream::connect(addr).await?;
    let body = r#"{"model":"any","prompt":"Tell me a story"}"#;
    let head = format!("POST /api/generate HTTP/1.1\r\nHost: localhost\r\nx-mock-caller: {name}\r\n");
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    socket.write_all(request.as_bytes()).await?;
    let mut lines = BufReader::new(socket).lines();
    let mut tokens = 0;
    while let Some(line) = lines.next().await {
        let line = line?;
        if line.contains(r#""done":true"#) {
            return Ok(tokens);
        }
        tokens += usize::from(line.starts_with('{'));
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
