//! Archives: files in which other tools keep whole exchanges, with request, status, fields and body.
//!
//! | file | what |
//! | --- | --- |
//! | `tool` | the tools whose files are read |
//! | `node` | a document of JSON or YAML, in one form |
//! | `yaml` | YAML read into it, within limits |
//! | `message` | what a tool keeps of a request and of its response |
//! | `vcr` | the interactions of cassettes: vcrpy, Ruby's VCR and their kin |
//! | `httpmock` | the `when` and `then` of httpmock |
//! | `har` | the entries of an HTTP archive (HAR 1.2) |
//! | `coding` | base64, gzip and deflate undone |
//! | `route` | the path of a URL, as the server knows it |

mod coding;
mod har;
mod httpmock;
mod message;
mod node;
mod route;
mod tool;
mod vcr;
mod yaml;

use super::error::{InputProblem, Located};
use crate::recording::RequestBody;
use crate::recording::limits::MAX_FILE_BYTES;
use message::{KeptResponse, Unfit};
use node::Node;
use route::RouteMatch;
use tool::Tool;

/// The most exchanges that are named when they are passed over; the others are counted.
const MAX_NAMED: usize = 20;

/// The exchanges of an archive, in the order of the file.
pub(super) struct Archive {
    pub(super) exchanges: Vec<ArchivedExchange>,
    /// What is passed over, since it is of other routes than the server has.
    pub(super) notes: Vec<String>,
}

/// An exchange as a tool kept it, of a route that the server has.
pub(super) struct ArchivedExchange {
    /// Which exchange of the file it is, for people.
    pub(super) place: String,
    pub(super) route: RouteMatch,
    pub(super) request: Option<RequestBody>,
    pub(super) response: KeptResponse,
}

/// Returns whether `bytes`, from the first that is no white space, are a file of one of these tools.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    Tool::of(bytes).is_some()
}

/// Reads an archive. An exchange that lacks something is an error.
pub(super) fn read(bytes: &[u8]) -> Result<Archive, Located> {
    let mut archive = Archive { exchanges: Vec::new(), notes: Vec::new() };
    let Some(tool) = Tool::of(bytes) else { return Ok(archive) };
    let nodes = tool.read(bytes)?;
    let mut body_bytes = 0;
    for (node, number) in nodes.iter().zip(1..) {
        let place = format!("{} {number} of this {}", tool.exchange, tool.file);
        let bad = |message| Err(InputProblem::BadExchange { place: place.clone(), message }.into());
        match exchange_of(tool, node, place.clone()) {
            Ok(exchange) => {
                body_bytes += exchange.response.body.len() as u64;
                archive.exchanges.push(exchange);
            }
            Err(Unfit::PassOver(reason)) => archive.notes.push(format!("{place} is passed over: {reason}")),
            Err(Unfit::Bad(message)) => return bad(message),
        }
        // Compressed bodies may be a thousand times their file.
        if body_bytes > MAX_FILE_BYTES {
            return bad(format!("with it, all bodies are more than {MAX_FILE_BYTES} bytes, the limit of a recording"));
        }
    }
    if archive.exchanges.is_empty() {
        let first_skipped = archive.notes.into_iter().next();
        return Err(InputProblem::NothingServed { file: tool.file, first_skipped }.into());
    }
    if !archive.notes.is_empty() {
        let count = format!("passed over: {} of {} exchanges", archive.notes.len(), nodes.len());
        archive.notes.truncate(MAX_NAMED);
        archive.notes.push(count);
    }
    Ok(archive)
}

fn exchange_of(tool: &Tool, node: &Node, place: String) -> Result<ArchivedExchange, Unfit> {
    let request = (tool.request)(node)?;
    let method = request.method()?;
    let Some(route) = route::of(method, &request.url) else {
        let method = method.map_or(String::new(), |method| format!("{} ", method.as_str()));
        return Err(Unfit::PassOver(format!("mock-ollama has no route {method}{}", route::shown(&request.url))));
    };
    let response = (tool.response)(node)?;
    let request = request.body.filter(|body| !body.is_empty()).map(request_body).transpose()?;
    Ok(ArchivedExchange { place, route, request, response })
}

fn request_body(bytes: Vec<u8>) -> Result<RequestBody, Unfit> {
    let text = String::from_utf8(bytes).map_err(|_| Unfit::Bad("the body of the request is not UTF-8".to_owned()))?;
    Ok(serde_json::from_str(&text).map_or_else(|_| RequestBody::Text(text), RequestBody::Json))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
