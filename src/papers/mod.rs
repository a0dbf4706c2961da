//! The papers replayed: TR113, TR114 and TR115 as experiments on published counters.
//!
//! The reports compared one server against two, and five async runtimes, by "parallel efficiency". Here each run's
//! figure is predicted from the tokens, the load and the prompt time of its two agents, which of them was first, and
//! constants of the device; the runtime's name is not among them.
//!
//! | file | what |
//! | --- | --- |
//! | `published` | the tables of published runs |
//! | `replay` | published runs of TR115, reconstructed as workloads |
//! | `shares` | how streams slow each other down: what a shared device predicts of recordings |
//! | `data` | the tables of a folder, sorted into sets |
//! | `predict` | two agents on a device, in virtual time |
//! | `fit` | the constants of a device |
//! | `judge` | every run beside its prediction |
//! | `played` | the real clients on the same device, in virtual time |
//! | `first_token` | what collecting 1 KB adds to the first token |
//! | `label`, `permute` | what a label explains of runs, and would it have explained as much by chance |
//! | `tr115` | the page of the runtimes |
//! | `servers` | the page of one and two servers |
//! | `short` | the lines that a page begins with |
//! | `output` | which page, and the files |

mod data;
mod first_token;
mod fit;
mod judge;
mod label;
mod output;
mod permute;
mod played;
mod predict;
pub mod published;
pub mod replay;
mod servers;
pub mod shares;
mod short;
mod tr115;

#[cfg(test)]
mod factors_tests;

pub use data::PapersError;
pub use output::{OUTPUTS, Page, Paper, page};
pub use published::Published;
