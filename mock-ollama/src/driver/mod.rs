//! The socket driver: threads with an event loop each, real sockets around the engine.
//!
//! | file | what |
//! | --- | --- |
//! | `time` | the time source: real time, or whatever a lab plugs in |
//! | `observer` | who is told of reads, writes and closes |
//! | `listen` | bound listeners, on a port that no earlier server of the process had |
//! | `command` | what other threads may ask of a loop, and see of all |
//! | `socket` | one connection and its output |
//! | `service` | how a loop serves its sockets |
//! | `lead` | how long before a deadline the loop wakes |
//! | `rest` | how long it rests between two wake-ups |
//! | `event_loop` | the loop |
//! | `threads` | the threads of a server, and the way to reach them |
//! | `poll` | waiting: epoll with nanosecond timers on Linux, mio elsewhere |

mod command;
mod event_loop;
mod lead;
mod listen;
mod observer;
mod poll;
mod rest;
mod service;
mod socket;
mod threads;
mod time;

pub(crate) use event_loop::{ACCEPT_PAUSE, into_listener};
pub(crate) use listen::{bind, host_names};
pub use observer::{NoObserver, Observer};
pub(crate) use poll::{Listener, Poller, Ready, Waker};
pub use service::{Service, raise_descriptor_limit};
pub(crate) use socket::{Ending, Got, Socket};
pub(crate) use threads::{Part, Threads};
pub use time::{LoopWaker, Monotonic, TimeSource};
