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
//! | `exchange` | one of these exchanges, as an exchange of a recording |
//! | `coding` | base64, gzip and deflate undone |
//! | `route` | the path of a URL, as the server knows it |

mod coding;
mod exchange;
mod har;
mod httpmock;
mod message;
mod node;
mod route;
pub(super) mod tool;
mod vcr;
mod yaml;

use std::time::Duration;

use super::error::{InputProblem, Located};
use super::imported::ImportedExchange;
use crate::recording::RequestBody;
use crate::recording::limits::MAX_FILE_BYTES;
use message::{KeptResponse, Unfit};
use node::Node;
use route::RouteMatch;
use tool::Tool;

/// The most exchanges that are named when they are passed over; the others are counted.
const MAX_NAMED: usize = 20;

/// Returns the exchanges of an archive, in the order of the file. One that lacks something is an error.
///
/// The first one carries the notes on those that are passed over, since they are of other routes than the server has.
pub(super) fn read(bytes: &[u8], gap: Option<Duration>) -> Result<Vec<ImportedExchange>, Located> {
    let Some(tool) = Tool::of(bytes) else { return Ok(Vec::new()) };
    let nodes = tool.read(bytes)?;
    let (mut exchanges, mut passed_over, mut body_bytes) = (Vec::new(), Vec::new(), 0);
    for (node, number) in nodes.iter().zip(1..) {
        let place = format!("{} {number} of this {}", tool.exchange, tool.file);
        let bad = |message: &str| {
            let what = format!("{place}: {message}; mend the file, or take this exchange out of it");
            Err(InputProblem::Other(what).into())
        };
        match exchange_of(tool, node) {
            Ok((route, request, response)) => {
                body_bytes += response.body.len() as u64;
                exchanges.push(exchange::imported(&place, route, request, response, gap));
            }
            Err(Unfit::PassOver(reason)) => passed_over.push(format!("{place} is passed over: {reason}")),
            Err(Unfit::Bad(message)) => return bad(&message),
        }
        // Compressed bodies may be a thousand times their file.
        if body_bytes > MAX_FILE_BYTES {
            return bad(&format!("with it, all bodies are more than {MAX_FILE_BYTES} bytes, the limit of a recording"));
        }
    }
    let Some(first) = exchanges.first_mut() else {
        let file = tool.file;
        let message = passed_over.first().map_or_else(
            || format!("this {file} holds no exchange"),
            |first| format!("no exchange of this {file} is of a route that mock-ollama has; the first: {first}"),
        );
        return Err(InputProblem::Other(message).into());
    };
    if !passed_over.is_empty() {
        let count = format!("passed over: {} of {} exchanges", passed_over.len(), nodes.len());
        passed_over.truncate(MAX_NAMED);
        passed_over.push(count);
        first.notes.splice(0..0, passed_over);
    }
    Ok(exchanges)
}

type KeptExchange = (RouteMatch, Option<RequestBody>, KeptResponse);

fn exchange_of(tool: &Tool, node: &Node) -> Result<KeptExchange, Unfit> {
    let request = (tool.request)(node)?;
    let method = request.method()?;
    let Some(route) = route::of(method, &request.url) else {
        let method = method.map_or(String::new(), |method| format!("{} ", method.as_str()));
        return Err(Unfit::PassOver(format!("mock-ollama has no route {method}{}", route::shown(&request.url))));
    };
    let response = (tool.response)(node)?;
    let request = request.body.filter(|body| !body.is_empty()).map(request_body).transpose()?;
    Ok((route, request, response))
}

fn request_body(bytes: Vec<u8>) -> Result<RequestBody, Unfit> {
    let text = String::from_utf8(bytes).map_err(|_| Unfit::Bad("the body of the request is not UTF-8".to_owned()))?;
    Ok(serde_json::from_str(&text).map_or_else(|_| RequestBody::Text(text), RequestBody::Json))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
