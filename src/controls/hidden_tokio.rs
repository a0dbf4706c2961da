//! A client on a runtime that nobody mentions.

use std::sync::LazyLock;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use crate::clients::{AgentRequest, Client, ClientError, ClientResponse, Endpoint, Reqwest, ResponseBody};

/// The hidden runtime: made when first needed, never torn down.
static HIDDEN: LazyLock<Runtime> = LazyLock::new(|| {
    let builder = Builder::new_multi_thread().worker_threads(2).thread_name("hidden-tokio").enable_all().build();
    builder.expect("a hidden runtime has nobody to report an error to")
});

/// reqwest whose every call is spawned on the hidden runtime; the caller only awaits the join handle.
#[derive(Clone)]
pub(super) struct HiddenTokio(Reqwest);

impl HiddenTokio {
    pub(super) fn new(server: Endpoint) -> Result<Self, ClientError> {
        Reqwest::new(server).map(Self)
    }
}

impl Client for HiddenTokio {
    type Body = HiddenBody;

    async fn send(&mut self, request: AgentRequest<'_>) -> Result<ClientResponse<HiddenBody>, ClientError> {
        let (agent, path, body) = (request.agent.to_owned(), request.path.to_owned(), request.body.to_owned());
        let mut client = self.0.clone();
        let call = async move { client.send(AgentRequest { agent: &agent, path: &path, body: &body }).await };
        let ClientResponse { status, body } = elsewhere(call).await?;
        Ok(ClientResponse { status, body: HiddenBody(Some(body)) })
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

/// A body whose every read is spawned on the hidden runtime.
pub(super) struct HiddenBody(Option<<Reqwest as Client>::Body>);

impl ResponseBody for HiddenBody {
    async fn next(&mut self) -> Option<Result<Bytes, ClientError>> {
        let mut body = self.0.take()?;
        let (read, body) = elsewhere(async move { (ResponseBody::next(&mut body).await, body) }).await;
        self.0 = Some(body);
        read
    }
}

async fn elsewhere<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> T {
    HIDDEN.spawn(call).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
