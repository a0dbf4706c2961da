//! A pool of connections that all agents share: hyper-util's client over in-memory pipes.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::FutureExt as _;
use http_body_util::Full;
use hyper::Uri;
use hyper::body::Incoming;
use hyper::rt::{Executor, Read, ReadBufCursor, Write};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use runtime_lab::clients::{AgentRequest, Client, ClientError, ClientResponse, Executor as _};
use runtime_lab::sim::{Pipe, Sim};
use tower_service::Service;

use super::executors::Spawner;

/// Clones share their connections.
#[derive(Clone)]
pub(super) struct Pool(legacy::Client<Connector, Full<Bytes>>);

impl Pool {
    pub(super) fn new(sim: &Sim, spawner: Spawner) -> Self {
        let tasks = Tasks { sim: sim.clone(), spawner };
        Self(legacy::Client::builder(tasks).build(Connector(sim.clone())))
    }
}

impl Client for Pool {
    type Body = Incoming;

    async fn send(&mut self, request: AgentRequest<'_>) -> Result<ClientResponse<Incoming>, ClientError> {
        let post = hyper::Request::post(format!("http://127.0.0.1:11434{}", request.path));
        let post = request.headers().into_iter().fold(post, |post, (name, value)| post.header(name, value));
        let body = Full::new(Bytes::copy_from_slice(request.body.as_bytes()));
        let post = post.body(body).map_err(|error| ClientError::BadRequest(error.into()))?;
        let response = self.0.request(post).await.map_err(|error| ClientError::NoResponse(error.into()))?;
        Ok(ClientResponse { status: response.status().as_u16(), body: response.into_body() })
    }

    fn describe(&self) -> String {
        "hyper-util, one pool".to_owned()
    }
}

/// What the pool spawns takes part in virtual time.
#[derive(Clone)]
struct Tasks {
    sim: Sim,
    spawner: Spawner,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.spawner.spawn(self.sim.service("a connection", task).map(drop));
    }
}

#[derive(Clone)]
struct Connector(Sim);

impl Service<Uri> for Connector {
    type Response = Pooled;
    type Error = io::Error;
    type Future = Ready<io::Result<Pooled>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _to: Uri) -> Self::Future {
        ready(self.0.connect().map(Pooled))
    }
}

/// A pipe that the pool knows for a connection.
struct Pooled(Pipe);

impl Connection for Pooled {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Pooled {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Pooled {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
