//! What becomes of a request before any handler sees it: the route table, then origins, then `Host`.

use std::collections::BTreeSet;

use super::cors::{CorsVerdict, Origins, cors};
use super::host::{HostVerdict, check_host};
use super::router::{Route, Routed, route};
use super::{RequestHead, Version, reason};
use crate::journal::ServerId;

/// Header fields: names in canonical case, and values.
pub type Fields = Vec<(String, String)>;

/// What the gate knows of its servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateConfig {
    /// The servers that do not listen on a loopback address; of requests to these `Host` is not checked.
    pub open: BTreeSet<ServerId>,
    /// The origins that may call beside the default ones.
    pub origins: Origins,
    /// This machine's names and addresses.
    pub host_names: Vec<String>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It is answered without a handler.
    Answer {
        /// The status code.
        status: u16,
        /// The fields; how the body is framed is not among them.
        fields: Fields,
        /// The body; empty where nothing is written, which is not the same as a body of no bytes to a HEAD.
        body: String,
    },
    /// A handler takes it.
    Pass {
        /// The handler.
        route: Route,
        /// What every answer to it carries.
        fields: Fields,
    },
}

/// Decides what becomes of a request to `server` (`server/routes.go`, `GenerateRoutes`; gin; `net/http`).
pub fn gate(head: &RequestHead, server: ServerId, config: &GateConfig, answers: &[&'static str]) -> Gate {
    if let Some(answer) = answer_early(head) {
        return answer;
    }
    let routed = route(&head.method, &head.url, answers);
    if let Routed::Redirect { status, location } = &routed {
        return redirect(&head.method, *status, location);
    }
    let mut fields = Fields::new();
    if let Routed::MethodNotAllowed { allow } = &routed {
        fields.push(("Allow".to_owned(), allow.clone()));
    }
    let refuse = |status, fields| Gate::Answer { status, fields, body: String::new() };
    let host = head.host();
    match cors(&head.method, head.header("origin"), host, &config.origins) {
        CorsVerdict::NoHeaders => {}
        CorsVerdict::Allowed(more) => fields.extend(more),
        CorsVerdict::Preflight(more) => {
            fields.extend(more);
            return refuse(204, fields);
        }
        CorsVerdict::Forbidden => return refuse(403, fields),
    }
    if !config.open.contains(&server) {
        match check_host(host, &config.host_names) {
            HostVerdict::Name if head.method == "OPTIONS" => return refuse(204, fields),
            HostVerdict::Name | HostVerdict::Address => {}
            HostVerdict::Forbidden => return refuse(403, fields),
        }
    }
    let (status, body) = match routed {
        Routed::To(route) => return Gate::Pass { route, fields },
        Routed::MethodNotAllowed { .. } => (405, "405 method not allowed"),
        Routed::NotFound | Routed::Redirect { .. } => (404, "404 page not found"),
    };
    fields.push(("Content-Type".to_owned(), "text/plain".to_owned()));
    Gate::Answer { status, fields, body: body.to_owned() }
}

/// What the standard library answers before any handler.
fn answer_early(head: &RequestHead) -> Option<Gate> {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let close = || vec![field("Connection", "close")];
    let (status, fields, body) = match head.method.as_str() {
        _ if head.expects_the_unknown() => (417, close(), ""),
        "OPTIONS" if head.asks_the_server() => (200, Fields::new(), ""),
        _ if head.asks_the_server() && head.version == Version::Http10 => (400, Fields::new(), ""),
        _ if head.asks_the_server() => (400, close(), ""),
        "CONNECT" if head.url.path.is_empty() => {
            let kind = field("Content-Type", "text/plain; charset=utf-8");
            (404, vec![kind, field("X-Content-Type-Options", "nosniff")], "404 page not found\n")
        }
        _ => return None,
    };
    Some(Gate::Answer { status, fields, body: body.to_owned() })
}

/// `http.Redirect`: a GET gets a line of HTML, HEAD its type, every other method an empty body.
fn redirect(method: &str, status: u16, location: &str) -> Gate {
    let mut fields = vec![("Location".to_owned(), location.to_owned())];
    if matches!(method, "GET" | "HEAD") {
        fields.push(("Content-Type".to_owned(), "text/html; charset=utf-8".to_owned()));
    }
    let line = || format!("<a href=\"{}\">{}</a>.\n\n", escape_html(location), reason(status));
    Gate::Answer { status, fields, body: if method == "GET" { line() } else { String::new() } }
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
