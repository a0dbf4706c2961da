//! reqwest on a foreign executor.

use async_compat::Compat;
use bytes::Bytes;

use super::{AgentRequest, Client, ClientError, ClientResponse, Endpoint, Reqwest, ResponseBody};

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

    async fn send(&mut self, request: AgentRequest<'_>) -> Result<ClientResponse<Self::Body>, ClientError> {
        let ClientResponse { status, body } = Compat::new(self.0.send(request)).await?;
        Ok(ClientResponse { status, body: BridgedBody(body) })
    }

    fn describe(&self) -> String {
        format!("{} bridged by async-compat", self.0.describe())
    }
}

/// The body of a response of [`Bridged`].
#[derive(Debug)]
pub struct BridgedBody(<Reqwest as Client>::Body);

impl ResponseBody for BridgedBody {
    async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        Compat::new(ResponseBody::next(&mut self.0)).await
    }
}
