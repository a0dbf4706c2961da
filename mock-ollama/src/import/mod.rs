//! Recordings from other forms: raw bodies, raw captures with their times, and the archives of other tools.
//!
//! | file | what |
//! | --- | --- |
//! | `convert` | inputs and options in, a recording out |
//! | `error` | what can be wrong with an input |
//! | `input` | an input, and its bytes as UTF-8 |
//! | `format` | the format of an input, by how it begins |
//! | `body` | a body and what is known beside it, made an exchange |
//! | `segment` | a body cut into what the server sent at once |
//! | `objects`, `events` | the cutting: behind JSON objects, or behind server-sent events |
//! | `object` | what an object of an answer says of itself, in any dialect |
//! | `times` | when the segments of a body came |
//! | `imported` | one exchange of an input, and what is known of it beside its body |
//! | `response` | a head before a body, as `curl -i` prints it |
//! | `raw_capture` | `raw-capture/1`: request, response, chunks and times |
//! | `archive` | cassettes, mock files and HAR files: exchanges as other tools keep them |
//! | `tags` | model facts out of an `/api/tags` answer |

mod archive;
mod body;
mod convert;
mod error;
mod events;
mod format;
mod imported;
mod input;
mod object;
mod objects;
mod raw_capture;
mod response;
mod segment;
mod tags;
mod times;

pub use convert::{Import, ImportOptions, import, import_each};
pub use error::{ImportError, InputProblem};
pub use input::Input;
pub use tags::Tags;
