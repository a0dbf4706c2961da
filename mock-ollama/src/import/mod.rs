//! Recordings from other forms: raw bodies, raw captures with their times, and the archives of other tools.
//!
//! | file | what |
//! | --- | --- |
//! | `convert` | inputs and options in, a recording out |
//! | `error` | what can be wrong with an input |
//! | `text` | byte order marks and UTF-16 undone |
//! | `form` | what an input is, told by how it begins |
//! | `body` | a body and what is known beside it, made an exchange |
//! | `objects`, `events` | a body cut behind its JSON objects, or its server-sent events |
//! | `object` | what an object of an answer says of itself, in any dialect |
//! | `times` | when the pieces of a body came |
//! | `response` | a head before a body, as `curl -i` prints it |
//! | `raw_capture` | `raw-capture/1`: request, response, chunks and times |
//! | `archive` | cassettes, mock files and HAR files: exchanges as other tools keep them |
//! | `tags` | model facts out of an `/api/tags` answer |

mod archive;
mod body;
mod convert;
mod error;
mod events;
mod form;
mod object;
mod objects;
mod raw_capture;
mod response;
mod tags;
mod text;
mod times;

pub use convert::{Import, ImportOptions, Input, import, import_each};
pub use error::ImportError;
pub use tags::Tags;
