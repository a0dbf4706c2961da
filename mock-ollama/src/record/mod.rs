//! The recorder: a transparent proxy that writes one recording per exchange.
//!
//! Every read of the upstream connection goes out to the client first and is looked at after that, so the live stream is
//! not delayed; the bytes themselves are passed on as they came. A recording is written whole when its exchange has
//! ended, so a recorder that is killed leaves only whole recordings.
//!
//! | file | what |
//! | --- | --- |
//! | `recorder` | the listener and its threads: one for each connection |
//! | `exchange` | one request and its response on their way through |
//! | `note` | what was seen, as a recording |
//! | `gzip` | bodies that came compressed |
//! | `limits` | how much is held |
//! | `folder` | where recordings go, and what they are called |
//! | `upstream` | the address to record from |

mod exchange;
mod folder;
mod gzip;
mod limits;
mod note;
mod recorder;
mod upstream;

pub use limits::MAX_ANSWER_BYTES;
pub use recorder::{RecordError, Recorder, RecorderConfig};
pub use upstream::{BadUpstream, UpstreamUrl};
