//! reqwest on its own tokio runtime.

use ::reqwest::redirect::Policy;
use ::reqwest::retry;
use bytes::Bytes;

use super::{AgentRequest, Client, ClientError, ClientResponse, Endpoint, ResponseBody};

/// reqwest as it comes, less everything that would act on its own: no timeouts, no idle timer, no proxy, no redirects,
/// no retries. Clones share one pool, as they do in programs.
///
/// Its futures need a tokio context with I/O.
#[derive(Clone, Debug)]
pub struct Reqwest {
    inner: ::reqwest::Client,
    server: Endpoint,
}

impl Reqwest {
    /// A client for one server.
    pub fn new(server: Endpoint) -> Result<Self, ClientError> {
        let inner = ::reqwest::Client::builder()
            .tcp_nodelay(true)
            .pool_idle_timeout(None)
            .no_proxy()
            .redirect(Policy::none())
            .retry(retry::never())
            .build()
            .map_err(|error| ClientError::Build(error.into()))?;
        Ok(Self { inner, server })
    }
}

impl Client for Reqwest {
    type Body = ::reqwest::Response;

    async fn send(&mut self, request: AgentRequest<'_>) -> Result<ClientResponse<Self::Body>, ClientError> {
        let post = self.inner.post(format!("{}{}", self.server, request.path)).body(request.body.to_owned());
        let post = request.headers().into_iter().fold(post, |post, (name, value)| post.header(name, value));
        let response = post.send().await.map_err(|error| match error {
            error if error.is_builder() => ClientError::BadRequest(error.into()),
            error if error.is_connect() => ClientError::Connect(error.into()),
            error => ClientError::NoResponse(error.into()),
        })?;
        Ok(ClientResponse { status: response.status().as_u16(), body: response })
    }

    fn describe(&self) -> String {
        "reqwest".to_owned()
    }
}

impl ResponseBody for ::reqwest::Response {
    async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        self.chunk().await.map_err(ClientError::in_body).transpose()
    }
}
