//! Files that are written whole or not at all, and inputs that end.
//!
//! | file | what |
//! | --- | --- |
//! | `whole` | a file that is written whole or not at all |
//! | `folder` | several files of one folder, all from one writer |
//! | `input` | files and pipes that are read, up to a limit |

#[cfg(feature = "record")]
mod folder;
mod input;
#[cfg(feature = "record")]
mod whole;

#[cfg(feature = "record")]
pub use folder::{NotWritten, write_together};
pub use input::{is_same, list_folder, open, read_limited, read_text};
#[cfg(feature = "record")]
pub use whole::{Existing, write_whole};
