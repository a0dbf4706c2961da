//! What all exchanges of a recorder have in common.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::folder::Folder;
use super::upstream::UpstreamUrl;
use crate::driver::LoopWaker;
use crate::http::GateConfig;
use crate::scrub::Scrub;

/// What all exchanges of a recorder have in common.
#[derive(Debug)]
pub(super) struct RecorderState {
    pub(super) upstream: UpstreamUrl,
    /// Where the upstream is; at least one.
    pub(super) addrs: Vec<SocketAddr>,
    /// Which origins and host names are let in.
    pub(super) gate: GateConfig,
    pub(super) folder: Folder,
    pub(super) scrub: Scrub,
    /// Prints what was not recorded.
    pub(super) complain: fn(&str),
    /// Exchanges whose answers should have been recorded and were not.
    pub(super) lost: AtomicUsize,
    /// Whether the user has been warned that queries are not kept.
    pub(super) query_warned: AtomicBool,
}

/// The place of one exchange among those that there may be at once: from its connection on until it has been written.
#[derive(Debug)]
pub(super) struct ExchangePermit {
    taken: Arc<AtomicUsize>,
    waker: LoopWaker,
}

impl ExchangePermit {
    /// Takes a place; when it is free again, the loop is woken.
    pub(super) fn take(taken: &Arc<AtomicUsize>, waker: LoopWaker) -> Self {
        taken.fetch_add(1, Ordering::SeqCst);
        Self { taken: Arc::clone(taken), waker }
    }
}

impl Drop for ExchangePermit {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::SeqCst);
        self.waker.wake();
    }
}
