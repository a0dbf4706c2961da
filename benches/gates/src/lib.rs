//! What several gates measure.
//!
//! The gates are the programs in `src/bin`, beside benches that show times. Each says what it does in its `--help`, and ends with exit code 1 where a limit is
//! missed.
//!
//! | program | what |
//! | --- | --- |
//! | `ratios` | pure parts against simple code that does the same work |
//! | `tr115` | the published runs of TR115 under each variant, in virtual time |
//! | `scale` | a million agents in the model, a hundred thousand in memory |
//! | `hot` | hot functions over fixed input, for `cargo xtask instructions` |

pub mod byte_loop;
pub mod framing;
