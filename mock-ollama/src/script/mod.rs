//! Scripts: models whose answers are stated in TOML rather than recorded. `docs/scripts.md` is the manual.
//!
//! | file | what |
//! | --- | --- |
//! | `file` | the form, as it stands in a file |
//! | `model` | a stated model as a card |
//! | `place` | where something is wrong, and what to write instead |
//! | `reader` | files and folders, and everything that can be wrong with them |
//! | `scripted` | a script: models, and the rules by which they answer |
//! | `error` | why a script cannot be used |

mod error;
mod file;
mod model;
mod place;
mod reader;
mod scripted;

#[cfg(test)]
mod tests;

pub use error::ScriptError;
pub use reader::{parse, read_file, read_folder};
pub use scripted::{Script, Scripted};
