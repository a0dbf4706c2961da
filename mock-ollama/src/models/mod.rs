//! What a server knows of its models, whatever they answer.
//!
//! | file | what |
//! | --- | --- |
//! | `name` | model names, as requests give them and as listings show them |
//! | `keep_alive` | how long a model stays loaded |
//! | `card` | everything that listings and `/api/show` say of a model |

mod card;
mod keep_alive;
mod name;

pub use card::{Card, Tensor};
pub use keep_alive::KeepAlive;
pub use name::ModelName;
