//! reqwest on a foreign executor.

use async_compat::Compat;
use bytes::Bytes;

use super::{Body, Client, ClientError, Endpoint, Request, Reqwest, Response};

/// reqwest on any executor: each future enters the context of a tokio runtime that `async-compat` keeps on a thread of
/// its own, where all of the client's I/O happens.
#[derive(Clone, Debug)]
pub struct Bridged(Reqwest);

impl Bridged {
    /// A client for one server.
    pub fn new(server: Endpoint) -> Result<Self, ClientError> {
        Reqwest::new(server).map(Self)
    }
}

impl Client for Bridged {
    type Body = BridgedBody;

    async fn send(&mut self, request: Request<'_>) -> Result<Response<Self::Body>, ClientError> {
        let Response { status, body } = Compat::new(self.0.send(request)).await?;
        Ok(Response { status, body: BridgedBody(body) })
    }

    fn describe(&self) -> String {
        format!("{} bridged by async-compat", self.0.describe())
    }
}

/// The body of a response of [`Bridged`].
#[derive(Debug)]
pub struct BridgedBody(<Reqwest as Client>::Body);

impl Body for BridgedBody {
    async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        Compat::new(Body::next(&mut self.0)).await
    }
}
