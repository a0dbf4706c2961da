//! The socket driver: one thread, one event loop, real sockets around the engine.
//!
//! | file | what |
//! | --- | --- |
//! | `time` | the time source: real time, or whatever a lab plugs in |
//! | `observer` | who is told of reads, writes and closes |
//! | `listen` | a bound listener, on a port that no earlier server of the process had |
//! | `command` | what other threads may ask of the loop |
//! | `socket` | one accepted connection and its output |
//! | `service` | how a loop serves its sockets |
//! | `event_loop` | the loop |
//! | `poll` | waiting: epoll with nanosecond timers on Linux, mio elsewhere |

mod command;
mod event_loop;
mod listen;
mod observer;
mod poll;
mod service;
mod socket;
mod time;

pub(crate) use command::{Command, Mailbox};
pub(crate) use event_loop::EventLoop;
pub(crate) use listen::{bind, host_names};
pub use observer::{NoObserver, Observer};
pub use service::{Service, raise_descriptor_limit};
pub use time::{LoopWaker, Monotonic, TimeSource};
