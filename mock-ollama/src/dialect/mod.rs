//! The wire dialects: what requests mean and what answers look like.
//!
//! | file | what |
//! | --- | --- |
//! | `go_json` | JSON as Go's encoder writes it |
//! | `ask` | requests of the native routes, read as Go reads them |
//! | `collect` | a stream folded into the answer of `"stream":false` |
//! | `objects` | the native objects that the server makes itself |
//! | `request` | requests of every route, brought to one form |
//! | `render` | what a dialect does with an answer |
//! | `reply` | responses that are written at once, refusals among them |
//! | `ids` | the ids that answers carry |

mod ask;
mod collect;
mod go_json;
mod ids;
mod objects;
mod render;
mod reply;
pub mod request;

pub use ask::{Ask, AskError, Endpoint};
pub use collect::{Collected, collect};
pub use go_json::to_string as to_go_json;
pub use ids::Ids;
pub use objects::{
    LoadedModel, error_body, load_object, miss_body, ps_body, rfc3339, show_body, tags_body, version_body,
};
pub use render::Render;
pub use reply::{Refusal, RefusedBy, Reply};
