//! How streams slow each other down: a share fitted on recordings alone and together, and what it predicts.
//!
//! | file | what |
//! | --- | --- |
//! | `folder` | which file is what, by the names alone |
//! | `read` | sets out of files |
//! | `set` | the same requests alone and together |
//! | `simulate` | when the chunks of streams that share a device arrive |
//! | `fit` | the share with the least error |
//! | `score` | prediction and recording side by side |
//! | `check` | whether a share describes a set, and why not |
//! | `page` | all of it as text |

mod check;
mod fit;
mod folder;
pub mod page;
mod read;
mod score;
mod set;
mod simulate;

use std::path::Path;

use super::PapersError;
use score::SetPrediction;

/// Reads the sets in `dir` (or the one set that it is), fits a share on the first repetition of each, and predicts the
/// others with it; where there is one only, that one.
pub fn predict(dir: &Path) -> Result<Vec<SetPrediction>, PapersError> {
    Ok(read::sets(dir)?.iter().map(SetPrediction::of).collect())
}

#[cfg(test)]
mod tests;
