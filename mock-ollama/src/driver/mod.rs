//! The socket driver: one thread with an event loop, real sockets around the engine.
//!
//! | file | what |
//! | --- | --- |
//! | `handle` | the thread of a server, and the way to reach it |
//! | `event_loop` | the loop |
//! | `command` | what other threads may ask of the loop |
//! | `wait` | what they wait for |
//! | `pending` | waits in the hands of the loop |
//! | `socket` | one connection and its output |
//! | `listen` | bound listeners, on a port that no earlier server of the process used |
//! | `time` | the time source: real time, or what a lab plugs in |
//! | `observer` | the observer of reads, writes and closes |
//! | `options` | how the loop serves its sockets |
//! | `tuning` | the tuning constants of the loop, and how they interact |
//! | `wakeup` | how long before a deadline the loop wakes |
//! | `min_sleep` | how long it sleeps at least between two wake-ups |
//! | `poll` | waiting: epoll with nanosecond timers on Linux, mio elsewhere |

mod command;
mod event_loop;
mod handle;
mod listen;
mod min_sleep;
mod observer;
mod options;
mod pending;
mod poll;
mod socket;
mod time;
mod tuning;
mod wait;
mod wakeup;

pub(crate) use command::RuleCommand;
pub(crate) use event_loop::EventLoop;
pub(crate) use handle::LoopHandle;
pub(crate) use listen::{bind, host_names};
pub use observer::{CloseReason, NoObserver, Observer};
pub use options::{SocketOptions, raise_descriptor_limit};
pub use pending::WaitError;
pub(crate) use pending::WaitGoal;
pub use poll::LoopWaker;
#[cfg(feature = "record")]
pub(crate) use poll::{Listener, Poller, Ready, into_listener};
#[cfg(feature = "record")]
pub(crate) use socket::{AfterFlush, ReadOutcome, Socket};
pub use time::{Monotonic, TimeSource};
#[cfg(feature = "record")]
pub(crate) use tuning::ACCEPT_PAUSE;
pub use wait::Wait;
