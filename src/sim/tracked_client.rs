//! A client whose bytes are in the ledger.

use ::bytes::Bytes;
use mock_ollama::journal::StreamId;

use super::scheduler::Sim;
use super::sockets::LedgerEntry;
use crate::clients::{AgentRequest, Client, ClientError, ClientResponse, ResponseBody};

/// Any client over sockets, under virtual time: what it has sent and not yet been answered holds the clock.
///
/// Bytes count as read where the HTTP stack yields them, before any chunk policy: a client that collects them must not
/// stop the clock.
#[derive(Clone, Debug)]
pub struct TrackedClient<C> {
    inner: C,
    sim: Sim,
    sent: u32,
}

impl<C> TrackedClient<C> {
    /// `inner` under the clock of `sim`.
    pub fn new(inner: C, sim: Sim) -> Self {
        Self { inner, sim, sent: 0 }
    }
}

impl<C: Client> Client for TrackedClient<C> {
    type Body = TrackedBody<C::Body>;

    async fn send(&mut self, request: AgentRequest<'_>) -> Result<ClientResponse<Self::Body>, ClientError> {
        // Entered before it is sent: a request on its way holds the clock from the first byte on.
        let mut entry = LedgerEntry::begin(&self.sim, StreamId::of(request.agent, self.sent));
        self.sent += 1;
        match self.inner.send(request).await {
            Ok(ClientResponse { status, body }) => {
                entry.head_seen();
                Ok(ClientResponse { status, body: TrackedBody { entry, inner: body } })
            }
            Err(error) => {
                // No body will tell of the end.
                entry.close();
                Err(error)
            }
        }
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

/// The body of a response of [`TrackedClient`].
#[derive(Debug)]
pub struct TrackedBody<B> {
    entry: LedgerEntry,
    inner: B,
}

impl<B: ResponseBody> ResponseBody for TrackedBody<B> {
    async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        let next = self.inner.next().await;
        match &next {
            Some(Ok(bytes)) => self.entry.taken(bytes.len() as u64),
            Some(Err(_)) | None => self.entry.close(),
        }
        next
    }
}
