//! The verbs of the command line.
//!
//! | file | what |
//! | --- | --- |
//! | `error` | what a verb can fail with, and the exit code of each |
//! | `import` | `mock-ollama import`: other forms into a recording |
//! | `inspect` | `mock-ollama inspect`: a recording in a few lines |
//! | `device` | the modelled device behind a server, by flags and by Ollama's variables |
//! | `record` | `mock-ollama record`: a proxy that writes recordings until Ctrl-C |
//! | `synth` | `mock-ollama synth`: a synthetic recording from a latency profile |
//! | `serve` | `mock-ollama serve`: a server until Ctrl-C |

mod device;
pub(crate) mod error;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod limits;
pub(crate) mod record;
pub(crate) mod serve;
pub(crate) mod synth;
