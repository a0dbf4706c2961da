//! The wire dialects: what requests mean and what answers look like.
//!
//! | file | what |
//! | --- | --- |
//! | `go_json` | JSON as Go's encoder writes it |
//! | `ask` | requests of the native routes, read as Go reads them |
//! | `collect` | a stream folded into the answer of `"stream":false` |
//! | `objects` | the native objects that the server makes itself |
//! | `name` | model names |

mod ask;
mod collect;
mod go_json;
mod name;
mod objects;

pub use ask::{Ask, AskError, Endpoint};
pub use collect::{Collected, collect};
pub use go_json::to_string as to_go_json;
pub use name::ModelName;
pub use objects::{
    LoadedModel, error_body, load_object, miss_body, ps_body, rfc3339, show_body, tags_body, version_body,
};
