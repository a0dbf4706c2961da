//! Sans-I/O HTTP/1.1: bytes in, requests out; responses in, bytes out. No socket and no clock.
//!
//! | file | what |
//! | --- | --- |
//! | `error` | why a request cannot be read, and the bytes that say so |
//! | `head` | the request head, by httparse |
//! | `body` | the request body: by length or chunked |
//! | `parser` | both together, in any segmentation |
//! | `chunked` | chunked transfer coding, both ways |
//! | `response` | the response head, in the order of Go's server |
//! | `router` | the route table, and what the router answers itself |

mod body;
mod chunked;
mod error;
mod head;
mod parser;
mod response;
mod router;

pub use chunked::{LAST_CHUNK, encode_chunk};
pub use error::BadRequest;
pub use head::{MAX_HEAD_BYTES, MAX_HEADERS, RequestHead, Version};
pub use parser::{CONTINUE, MAX_BODY_BYTES, Parsed, Parser, Request};
pub use response::{Framing, ResponseHead, reason};
pub use router::{Route, Routed, route};
