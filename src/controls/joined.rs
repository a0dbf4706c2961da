//! Agents that share one task.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use futures::FutureExt;
use futures::future::{MaybeDone, maybe_done};

use crate::transcript::AgentLog;

/// Polls all agents with the waker of the one task that this runs in.
///
/// `join_all` does so for up to 30 futures only; beyond, each has its own waker, as tasks have.
pub(super) async fn join_in_one_task<A: Future<Output = Option<AgentLog>>>(agents: Vec<A>) -> Vec<Option<AgentLog>> {
    let mut agents: Vec<Pin<Box<MaybeDone<A>>>> = agents.into_iter().map(maybe_done).map(Box::pin).collect();
    poll_fn(|cx| {
        let running = agents.iter_mut().filter_map(|agent| agent.poll_unpin(cx).is_pending().then_some(())).count();
        if running == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    agents.iter_mut().filter_map(|agent| agent.as_mut().take_output()).collect()
}
