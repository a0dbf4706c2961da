//! What the agent loop asks of an HTTP stack.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use bytes::Bytes;

use super::ClientError;

/// An HTTP stack. Each agent has its own clone.
///
/// Nothing here demands `Send`. Whether an agent may move between threads follows from the concrete client, in the file
/// of the runtime that spawns it; so one agent loop serves work-stealing executors and those whose sockets stay on a thread.
pub trait Client: Clone + 'static {
    /// The body of a response.
    type Body: ResponseBody;

    /// Posts a request and resolves when the response head has been read.
    ///
    /// A status of 400 and above is no error here: its body is still to be read.
    fn send(
        &mut self,
        request: AgentRequest<'_>,
    ) -> impl Future<Output = Result<ClientResponse<Self::Body>, ClientError>>;

    /// What the stack is and how it is set, for introspection.
    fn describe(&self) -> String;
}

/// The body of a response, in the pieces in which the HTTP stack yields it.
pub trait ResponseBody: 'static {
    /// The next bytes; nothing after the end of the body.
    fn next(&mut self) -> impl Future<Output = Option<Result<Bytes, ClientError>>>;
}

/// A request of an agent: a `POST` of JSON.
#[derive(Clone, Copy, Debug)]
pub struct AgentRequest<'a> {
    /// The agent's name, sent as the header `x-mock-caller`.
    pub agent: &'a str,
    /// The path, such as `/api/generate`.
    pub path: &'a str,
    /// The body, JSON.
    pub body: &'a str,
}

impl AgentRequest<'_> {
    /// The header fields that every client sends, whatever else its HTTP stack adds.
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [("x-mock-caller", self.agent), ("content-type", "application/json"), ("accept", "application/x-ndjson")]
    }
}

/// A response whose body has not been read.
#[derive(Debug)]
pub struct ClientResponse<B> {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: B,
}

/// The server's address, written `http://127.0.0.1:40123`.
///
/// Host names are refused: resolving one costs a blocking thread on most runtimes, and trying `::1` before `127.0.0.1`
/// is a cost that no runtime is to blame for (see the constant in TR115's time to first token).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint(SocketAddr);

impl Endpoint {
    /// The address to connect to.
    pub const fn addr(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for Endpoint {
    type Err = ClientError;

    fn from_str(url: &str) -> Result<Self, ClientError> {
        let authority = url.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let addr = authority.and_then(|authority| authority.parse().ok());
        addr.map(Self).ok_or_else(|| ClientError::Url { url: url.to_owned() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:40123", "http://127.0.0.1:40123")]
    #[case("http://127.0.0.1:40123/", "http://127.0.0.1:40123")]
    #[case("http://[::1]:80", "http://[::1]:80")]
    fn an_endpoint_is_an_address_and_a_port(#[case] url: &str, #[case] written: &str) {
        assert_eq!(url.parse::<Endpoint>().unwrap().to_string(), written);
    }

    #[rstest]
    #[case::a_name("http://localhost:11434")]
    #[case::no_port("http://127.0.0.1")]
    #[case::a_path("http://127.0.0.1:1/api")]
    #[case::tls("https://127.0.0.1:1")]
    #[case::no_scheme("127.0.0.1:1")]
    fn anything_else_is_refused(#[case] url: &str) {
        assert_eq!(url.parse::<Endpoint>().unwrap_err().kind(), "url");
    }
}
