//! Waits for what a server reaches, and releases of what it holds back.

use super::MockOllama;
use crate::driver::{Wait, WaitGoal};
use crate::engine::Release;
use crate::journal::StreamId;

impl MockOllama {
    /// Under a stepped pace: lets `chunks` more chunks of each open stream leave. Where no stream is open, they wait for the next one
    /// that opens, and for that one alone. What a stream has not used when it ends is lost.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// use mock_ollama::{MockOllama, Pace};
    ///
    /// let server = MockOllama::builder().says("m", ["Hi"]).pace(Pace::stepped()).start()?;
    /// server.release(2); // before the request: both chunks leave when it comes
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","prompt":"hello"}"#;
    /// write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// let mut answer = String::new();
    /// client.read_to_string(&mut answer)?;
    /// assert!(answer.contains("\"done\":true"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn release(&self, chunks: u64) {
        self.event_loop.release(Release::All, chunks);
    }

    /// Under a stepped pace: lets `chunks` more chunks of `stream` leave, which may be still to come. To a stream that has ended
    /// they mean nothing.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// use mock_ollama::{MockOllama, Pace, StreamId};
    ///
    /// let server = MockOllama::builder().says("m", ["Hi"]).pace(Pace::stepped()).start()?;
    /// server.release_on(&StreamId::of("an agent", 0), 2);
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","prompt":"hello"}"#;
    /// let fields = format!("X-Mock-Caller: an agent\r\nContent-Length: {}", body.len());
    /// write!(client, "POST /api/generate HTTP/1.0\r\n{fields}\r\n\r\n{body}")?;
    /// let mut answer = String::new();
    /// client.read_to_string(&mut answer)?;
    /// assert!(answer.contains("\"done\":true"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn release_on(&self, stream: &StreamId, chunks: u64) {
        self.event_loop.release(Release::Stream(stream.clone()), chunks);
    }

    /// Returns a wait for exactly `streams` streams in progress: answers of models that are being sent or wait for their slot.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::Write as _;
    /// use mock_ollama::{MockOllama, Pace};
    ///
    /// let server = MockOllama::builder().says("m", ["Hi"]).pace(Pace::stepped()).start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","prompt":"hello"}"#;
    /// write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// server.in_flight(1).wait()?; // in async code: `server.in_flight(1).await?`
    /// drop(client);
    /// server.in_flight(0).wait()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn in_flight(&self, streams: usize) -> Wait {
        self.event_loop.wait_for(WaitGoal::InFlight(streams))
    }

    /// Returns a wait for `requests` requests, or more, of any kind since the start.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::Write as _;
    /// let server = mock_ollama::MockOllama::builder().start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// client.write_all(b"GET /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    /// server.requests(1).wait()?;
    /// assert_eq!(server.journal().requests(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn requests(&self, requests: usize) -> Wait {
        self.event_loop.wait_for(WaitGoal::Requests(requests))
    }

    /// Returns a wait for no request in progress: every one that came in has been answered to its end, or was broken off. Before
    /// the first request that is so already.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::Write as _;
    /// use mock_ollama::{Fate, MockOllama, Pace};
    ///
    /// let server = MockOllama::builder().says("m", ["Hi"]).pace(Pace::instant()).start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","prompt":"hello"}"#;
    /// write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// server.requests(1).wait()?;
    /// server.idle().wait()?;
    /// assert_eq!(server.journal().entries[0].fate, Fate::Complete);
    /// # Ok(())
    /// # }
    /// ```
    pub fn idle(&self) -> Wait {
        self.event_loop.wait_for(WaitGoal::Idle)
    }
}
