//! Waits of a test for its server, awaited on the thread on which the client runs.

use futures::future::join;
use mock_ollama::{MockOllama, Pace, WaitError};

use crate::util::PATIENCE;

const BODY: &str = r#"{"model":"tiny","prompt":"hello"}"#;

/// A server that holds every chunk back.
fn stepped() -> MockOllama {
    MockOllama::builder().says("tiny", ["Hi"]).pace(Pace::stepped()).start().unwrap()
}

/// What a test does while its client asks: nothing leaves before the wait is over.
async fn release_when_asked(server: &MockOllama) -> Result<(), WaitError> {
    server.in_flight(1).within(PATIENCE).await?;
    server.release(2);
    server.requests(1).within(PATIENCE).await?;
    server.idle().within(PATIENCE).await
}

#[cfg(feature = "runtime-tokio-localset")]
#[test]
fn a_wait_on_the_default_tokio_test_lets_the_client_run() {
    // What `#[tokio::test]` makes by default: one thread, which a blocking wait would keep from the client.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = stepped();
    let client =
        async { reqwest::Client::new().post(server.url() + "/api/generate").body(BODY).send().await?.text().await };
    let (answer, waited) = runtime.block_on(join(client, release_when_asked(&server)));
    waited.unwrap();
    assert!(answer.unwrap().contains("\"done\":true"));
}

/// A client over the sockets of a runtime: sends a request and reads to the end.
#[cfg(any(feature = "runtime-smol", feature = "runtime-async-std"))]
async fn ask(mut socket: impl futures::AsyncRead + futures::AsyncWrite + Unpin) -> std::io::Result<String> {
    use futures::{AsyncReadExt as _, AsyncWriteExt as _};

    let head = format!("POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n", BODY.len());
    socket.write_all((head + BODY).as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[cfg(feature = "runtime-smol")]
#[test]
fn a_wait_on_smol_lets_the_client_run() {
    let server = stepped();
    let client = async { ask(smol::net::TcpStream::connect(server.addr()).await?).await };
    let (answer, waited) = smol::block_on(join(client, release_when_asked(&server)));
    waited.unwrap();
    assert!(answer.unwrap().contains("\"done\":true"));
}

#[cfg(feature = "runtime-async-std")]
#[test]
fn a_wait_on_async_std_lets_the_client_run() {
    let server = stepped();
    let client = async { ask(async_std::net::TcpStream::connect(server.addr()).await?).await };
    let (answer, waited) = async_std::task::block_on(join(client, release_when_asked(&server)));
    waited.unwrap();
    assert!(answer.unwrap().contains("\"done\":true"));
}
