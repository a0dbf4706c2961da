//! A stream that stands still until the test says so: what does a client know after k chunks?
//!
//! No runtime, no sleep, no timeout to tune. Run it with `cargo run -p mock-ollama --example stepped`.

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use mock_ollama::{Matching, MockOllama, Pace};

fn main() -> Result<(), Box<dyn Error>> {
    let server = MockOllama::builder().builtin("tiny-emoji").matching(Matching::Any).pace(Pace::stepped()).start()?;

    // The client: a socket, and the lines that begin with an object.
    let mut socket = TcpStream::connect(server.addr())?;
    let body = r#"{"model":"any","prompt":"Say it with emoji"}"#;
    let head = format!("POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
    socket.write_all(format!("{head}{body}").as_bytes())?;
    let mut objects = BufReader::new(socket).lines().map_while(Result::ok).filter(|line| line.starts_with('{'));

    // The request is in, and not a byte of the answer is out.
    server.in_flight(1).wait()?;

    let mut text = String::new();
    for k in 1.. {
        server.release(1);
        let object: serde_json::Value = serde_json::from_str(&objects.next().ok_or("the stream was cut")?)?;
        text += object["response"].as_str().unwrap_or_default();
        println!("after {k:2} chunks the client knows: {text}");
        // The server has let go of k chunks and not one more.
        assert_eq!(server.journal().entries[0].chunks.len(), k);
        if object["done"] == true {
            break;
        }
    }

    let journal = server.finish()?;
    println!("the server says: {:?}", journal.entries[0].fate);
    Ok(())
}
