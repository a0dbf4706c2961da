//! What a server knows of its models, whatever they answer.
//!
//! | file | what |
//! | --- | --- |
//! | `name` | model names, as requests give them and as listings show them |
//! | `keep_alive` | how long a model stays loaded |
//! | `card` | everything that listings and `/api/show` say of a model |
//! | `layers` | the layers that a model consists of |
//! | `store` | which models there are |
//! | `runners` | which of them are loaded, and until when |

mod card;
mod keep_alive;
mod layers;
mod name;
mod runners;
mod store;

pub use card::{Batching, Card, Tensor};
pub use keep_alive::KeepAlive;
pub use layers::{Layer, LayerKind, sha256};
pub use name::{ModelName, qualified};
pub use runners::{Found, Loaded, Runners};
pub use store::Store;
