//! Archives: files in which other tools keep whole exchanges, with request, status, fields and body.
//!
//! | file | what |
//! | --- | --- |
//! | `form` | which tool's file it is |
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
mod form;
mod har;
mod httpmock;
mod kept;
mod node;
mod route;
mod vcr;
#[cfg(feature = "import-yaml")]
mod yaml;

use super::convert::{ImportOptions, Imported, Input};
use super::error::ImportError;
use form::Form;
use kept::Unfit;
use node::Node;

/// The most exchanges that are named when they are passed over; the others are counted.
const MAX_NAMED: usize = 20;

/// The exchanges of an archive, in the order of the file; `None` when the input is no archive. What is in no recording is said
/// in `notes`.
///
/// An exchange of another route than those of the server is passed over. One that lacks something is an error.
pub(super) fn read(
    input: &Input<'_>,
    options: &ImportOptions,
    notes: &mut Vec<String>,
) -> Result<Option<Vec<Imported>>, ImportError> {
    let Some(form::Document { form, exchanges }) = form::read(input)? else { return Ok(None) };
    let mut imported = Vec::new();
    let mut passed_over = Vec::new();
    for (node, number) in exchanges.iter().zip(1..) {
        let place = format!("{} {number} of this {}", form.unit(), form.name());
        let label = format!("{}: {place}", input.label);
        match exchange_of(form, node, &label, options) {
            Ok(exchange) => imported.push(exchange),
            Err(Unfit::PassOver(reason)) => passed_over.push(format!("{place} is passed over: {reason}")),
            Err(Unfit::Bad(message)) => return Err(ImportError::BadExchange { label, message }),
        }
    }
    if imported.is_empty() {
        let first = passed_over.into_iter().next();
        return Err(ImportError::NothingServed { label: input.label.to_owned(), form: form.name(), first });
    }
    let count = passed_over.len();
    notes.extend(passed_over.into_iter().take(MAX_NAMED).map(|text| format!("{}: {text}", input.label)));
    if count > 0 {
        notes.push(format!("{}: passed over: {count} of {} exchanges", input.label, exchanges.len()));
    }
    Ok(Some(imported))
}

fn exchange_of(form: Form, node: &Node, label: &str, options: &ImportOptions) -> Result<Imported, Unfit> {
    let asked = form.asked(node)?;
    let method = asked.method()?;
    let Some(found) = route::of(method, &asked.url) else {
        let method = method.map_or("", |method| method.as_str());
        return Err(Unfit::PassOver(format!("mock-ollama has no route {method} {}", route::shown(&asked.url))));
    };
    let answered = form.answered(node)?;
    exchange::imported(&found, asked, answered, label, options)
}

#[cfg(test)]
mod tests;
