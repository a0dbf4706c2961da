//! Sans-I/O HTTP/1.1: bytes in, requests out; responses in, bytes out. No socket and no clock.
//!
//! | file | what |
//! | --- | --- |
//! | `error` | why a request cannot be read, and the bytes that say so |
//! | `head` | the request head, line by line |
//! | `body` | the request body: by length or chunked |
//! | `parser` | both together, in any segmentation |
//! | `chunked` | chunked transfer coding, both ways |
//! | `reply` | a response that is written at once |
//! | `response` | the response head, in the order of Go's server |
//! | `target` | what a target says, and the forms of its path |
//! | `router` | the route table, and what the router answers itself |
//! | `cors` | which origins may call |
//! | `host` | which names of this machine are believed |
//! | `upstream` | responses of another server, chunk by chunk |
//! | `gate` | all three in order: what becomes of a request before a handler sees it |

mod body;
mod chunked;
mod cors;
mod error;
mod gate;
mod head;
mod host;
mod parser;
mod reply;
mod response;
mod router;
mod target;
#[cfg(feature = "record")]
mod upstream;

pub use chunked::{LAST_CHUNK, encode_chunk};
pub use cors::{BadOrigins, CorsVerdict, Origins, cors};
pub use error::BadRequest;
pub use gate::{Fields, Gate, GateConfig, gate};
pub use head::{MAX_HEAD_BYTES, RequestHead, Version};
pub use host::{HostVerdict, check_host};
pub use parser::{CONTINUE, MAX_BODY_BYTES, Parsed, Parser, Request};
pub use reply::Reply;
pub(crate) use reply::{BARE_JSON, JSON};
pub use response::{Framing, MAX_BUFFERED, ResponseHead, reason};
pub use router::{Route, Routed, has_route};
#[cfg(feature = "record")]
pub use upstream::{BadResponse, Received, Upstream};
