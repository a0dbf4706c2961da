//! hyper over any runtime's sockets.

use std::io;
use std::num::NonZeroUsize;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};

use super::{AgentRequest, Client, ClientError, ClientResponse, Endpoint, ResponseBody};

/// An HTTP/1 connection over a socket of type `I`: a future that carries its bytes until it is closed.
pub type Connection<I> = http1::Connection<I, Full<Bytes>>;

/// What hyper needs of a runtime.
pub trait Net: Clone + 'static {
    /// A connected socket.
    type Io: hyper::rt::Read + hyper::rt::Write + Unpin + 'static;

    /// Connects, with `TCP_NODELAY` set.
    fn connect(&self, to: Endpoint) -> impl Future<Output = io::Result<Self::Io>>;

    /// Spawns a connection as a task on the executor of the agents.
    ///
    /// Its errors reach the exchange that they concern, so its output is dropped.
    fn spawn(&self, connection: Connection<Self::Io>);
}

/// hyper's HTTP/1 connection with one keep-alive connection, used again while it is open. Clones share nothing.
#[derive(Debug)]
pub struct Hyper<N> {
    net: N,
    server: Endpoint,
    read_cap: Option<NonZeroUsize>,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl<N: Clone> Clone for Hyper<N> {
    fn clone(&self) -> Self {
        Self { net: self.net.clone(), server: self.server, read_cap: self.read_cap, connection: None }
    }
}

impl<N: Net> Hyper<N> {
    /// A client for one server.
    pub fn new(net: N, server: Endpoint) -> Self {
        Self { net, server, read_cap: None, connection: None }
    }

    /// Caps each read at this many bytes (hyper's `read_buf_exact_size`).
    ///
    /// The response head has to fit too: a longer one is [`ClientError::HeadTooLong`].
    #[must_use]
    pub fn http1_read_buf_exact_size(mut self, bytes: Option<NonZeroUsize>) -> Self {
        self.read_cap = bytes;
        self
    }

    /// The open connection, once it has seen the last response to its end; none where the server has closed it.
    async fn idle(&mut self) -> Option<SendRequest<Full<Bytes>>> {
        let mut connection = self.connection.take()?;
        connection.ready().await.ok().map(|()| connection)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let io = self.net.connect(self.server).await.map_err(|error| ClientError::Connect(error.into()))?;
        let handshake = http1::Builder::new()
            .read_buf_exact_size(self.read_cap.map(NonZeroUsize::get))
            .handshake(io)
            .await
            .map_err(|error| ClientError::Connect(error.into()))?;
        let (sender, connection) = handshake;
        self.net.spawn(connection);
        Ok(sender)
    }

    fn write(&self, request: AgentRequest<'_>) -> Result<hyper::Request<Full<Bytes>>, ClientError> {
        let post = hyper::Request::post(request.path).header("host", self.server.addr().to_string());
        let post = request.headers().into_iter().fold(post, |post, (name, value)| post.header(name, value));
        let body = Full::new(Bytes::copy_from_slice(request.body.as_bytes()));
        post.body(body).map_err(|error| ClientError::BadRequest(error.into()))
    }

    fn no_response(&self, error: hyper::Error) -> ClientError {
        match self.read_cap {
            Some(limit) if is_head_too_long(&error) => ClientError::HeadTooLong { limit: limit.get() },
            _ => ClientError::NoResponse(error.into()),
        }
    }
}

/// `hyper::Error::is_parse_too_large` exists in servers only; clients have its words.
fn is_head_too_long(error: &hyper::Error) -> bool {
    error.is_parse() && error.to_string() == "message head is too large"
}

impl<N: Net> Client for Hyper<N> {
    type Body = Incoming;

    async fn send(&mut self, request: AgentRequest<'_>) -> Result<ClientResponse<Incoming>, ClientError> {
        let mut unsent = self.write(request)?;
        // The server may close an idle connection at any moment; a request of which nothing was written goes to a
        // fresh one, as in every pool.
        if let Some(mut connection) = self.idle().await {
            match connection.try_send_request(unsent).await {
                Ok(response) => return Ok(self.keep(connection, response)),
                Err(mut failed) => match failed.take_message() {
                    Some(request) => unsent = request,
                    None => return Err(self.no_response(failed.into_error())),
                },
            }
        }
        let mut connection = self.connect().await?;
        match connection.send_request(unsent).await {
            Ok(response) => Ok(self.keep(connection, response)),
            Err(error) => Err(self.no_response(error)),
        }
    }

    fn describe(&self) -> String {
        match self.read_cap {
            Some(bytes) => format!("hyper, reads of at most {bytes} bytes"),
            None => "hyper".to_owned(),
        }
    }
}

impl<N: Net> Hyper<N> {
    fn keep(
        &mut self,
        connection: SendRequest<Full<Bytes>>,
        response: hyper::Response<Incoming>,
    ) -> ClientResponse<Incoming> {
        self.connection = Some(connection);
        ClientResponse { status: response.status().as_u16(), body: response.into_body() }
    }
}

impl ResponseBody for Incoming {
    async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        loop {
            match self.frame().await? {
                // Trailers are no bytes of the body.
                Ok(frame) => match frame.into_data() {
                    Ok(bytes) => return Some(Ok(bytes)),
                    Err(_trailers) => {}
                },
                Err(error) => return Some(Err(ClientError::in_body(error))),
            }
        }
    }
}
