//! The recorder: a transparent proxy that writes one recording per exchange.
//!
//! Every read of the upstream connection goes out to the client first and is looked at after that, so the live stream is
//! not delayed; the bytes themselves are passed on as they came. A recording is written whole when its exchange has
//! ended, so a recorder that is killed leaves only whole recordings.
//!
//! | file | what |
//! | --- | --- |
//! | `recorder` | a running recorder, and the way to stop it |
//! | `event_loop` | one thread for the sockets of all exchanges |
//! | `exchange` | one exchange, from its connection to its end |
//! | `relay` | a request on its way out, and the answer on its way in |
//! | `wire` | what the recorder writes itself to either side |
//! | `capture` | what was seen, as a recording |
//! | `gzip` | bodies that came compressed |
//! | `writers` | the threads that write recordings |
//! | `folder` | where recordings go, and what they are called |
//! | `limits` | how much is held |
//! | `error` | why an exchange was not recorded |
//! | `state` | what all exchanges have in common |
//! | `upstream` | the address to record from |

mod capture;
mod error;
mod event_loop;
mod exchange;
mod folder;
mod gzip;
mod limits;
mod recorder;
mod relay;
mod state;
mod upstream;
mod wire;
mod writers;

pub use limits::MAX_ANSWER_BYTES;
pub use recorder::{RecordError, Recorder, RecorderConfig};
pub use upstream::{BadUpstream, UpstreamUrl};
