//! Waiting for sockets, other threads and the next deadline.
//!
//! Both pollers are edge-triggered, so a socket is read until it would block. They offer the same items:
//! `Poller`, `LoopWaker`, `Listener`, `Stream`, `into_listener`.

#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
mod epoll;
#[cfg(any(not(target_os = "linux"), feature = "portable-poller"))]
mod portable;
mod ready;

#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
pub use epoll::LoopWaker;
#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
pub(crate) use epoll::{Listener, Poller, Stream, into_listener};
#[cfg(any(not(target_os = "linux"), feature = "portable-poller"))]
pub use portable::LoopWaker;
#[cfg(any(not(target_os = "linux"), feature = "portable-poller"))]
pub(crate) use portable::{Listener, Poller, Stream, into_listener};
pub(crate) use ready::Ready;
