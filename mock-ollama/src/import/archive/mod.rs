//! Archives: files in which other tools keep whole exchanges, with request, status, fields and body.
//!
//! | file | what |
//! | --- | --- |
//! | `tool` | whose file it is |
//! | `node` | a document of JSON or YAML, in one form |
//! | `yaml` | YAML read into it, within limits |
//! | `kept` | what a tool keeps of a request and of its response |
//! | `vcr` | the interactions of cassettes: vcrpy, Ruby's VCR and their kin |
//! | `httpmock` | the `when` and `then` of httpmock |
//! | `har` | the entries of an HTTP archive (HAR 1.2) |
//! | `coding` | base64, gzip and deflate undone |
//! | `route` | the path of a URL, as the server knows it |
//! | `exchange` | what was kept, as an exchange of a recording |

mod coding;
mod exchange;
mod har;
mod httpmock;
mod kept;
mod node;
mod route;
mod tool;
mod vcr;
#[cfg(feature = "import-yaml")]
mod yaml;

use std::time::Duration;

use super::convert::{Imported, Input};
use super::error::ImportError;
use crate::recording::limits::MAX_FILE_BYTES;
use kept::Unfit;
use node::Node;
use tool::Tool;

/// The most exchanges that are named when they are passed over; the others are counted.
const MAX_NAMED: usize = 20;

/// Whether `bytes`, from the first that is no white space, are a file of one of these tools.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    Tool::of(bytes).is_some()
}

/// The exchanges of an archive, in the order of the file. The first one carries the notes on those that were passed over,
/// since they are of other routes than the server has. An exchange that lacks something is an error.
pub(super) fn read(input: &Input<'_>, gap: Option<Duration>) -> Result<Vec<Imported>, ImportError> {
    let Some(tool) = Tool::of(input.bytes) else { return Ok(Vec::new()) };
    let exchanges = tool.read(input)?;
    let mut imported: Vec<Imported> = Vec::new();
    let mut passed_over = Vec::new();
    let mut total = 0;
    for (node, number) in exchanges.iter().zip(1..) {
        let place = format!("{} {number} of this {}", tool.exchange_noun(), tool.file_noun());
        let bad =
            |message| Err(ImportError::BadExchange { label: input.label.to_owned(), place: place.clone(), message });
        match exchange_of(tool, node, &place, gap) {
            Ok(exchange) => {
                total += exchange.exchange.body_len();
                imported.push(exchange);
            }
            Err(Unfit::PassOver(reason)) => passed_over.push(format!("{place} is passed over: {reason}")),
            Err(Unfit::Bad(message)) => return bad(message),
        }
        // Compressed bodies may be a thousand times their file.
        if total > MAX_FILE_BYTES {
            return bad(format!("with it, all bodies are more than {MAX_FILE_BYTES} bytes, the limit of a recording"));
        }
    }
    let Some(first) = imported.first_mut() else {
        let first = passed_over.into_iter().next();
        return Err(ImportError::NothingServed { label: input.label.to_owned(), file: tool.file_noun(), first });
    };
    if !passed_over.is_empty() {
        let count = format!("passed over: {} of {} exchanges", passed_over.len(), exchanges.len());
        first.notes.splice(0..0, passed_over.into_iter().take(MAX_NAMED).chain([count]));
    }
    Ok(imported)
}

fn exchange_of(tool: Tool, node: &Node, place: &str, gap: Option<Duration>) -> Result<Imported, Unfit> {
    let asked = tool.asked(node)?;
    let method = asked.method()?;
    let Some(found) = route::of(method, &asked.url) else {
        let method = method.map_or(String::new(), |method| format!("{} ", method.as_str()));
        return Err(Unfit::PassOver(format!("mock-ollama has no route {method}{}", route::shown(&asked.url))));
    };
    let answered = tool.answered(node)?;
    exchange::imported(&found, asked, answered, place, gap)
}

#[cfg(all(test, feature = "import-yaml"))]
mod properties;
#[cfg(all(test, feature = "import-yaml"))]
mod tests;
