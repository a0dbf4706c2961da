//! Waiting for sockets, other threads and the next deadline.
//!
//! Both pollers are edge-triggered, so a socket is read until it would block. They offer the same items:
//! `Poller`, `Waker`, `Listener`, `Stream`.

#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
mod epoll;
#[cfg(any(not(target_os = "linux"), feature = "portable-poller"))]
mod portable;

#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
pub(crate) use epoll::{Listener, Poller, Stream, Waker};
#[cfg(any(not(target_os = "linux"), feature = "portable-poller"))]
pub(crate) use portable::{Listener, Poller, Stream, Waker};

/// A source that something happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// The token that the source was added with.
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// How many events are taken from the kernel at once.
const EVENTS: usize = 256;
