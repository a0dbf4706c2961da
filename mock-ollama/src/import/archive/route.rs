//! The path of a URL, as the server knows it.

use crate::dialect;
use crate::http::has_route;
use crate::recording::Method;

/// The methods, in the order in which they are tried where none is stated.
const METHODS: [Method; 4] = [Method::Post, Method::Get, Method::Delete, Method::Head];

/// The most characters of a URL that a note shows.
const MAX_SHOWN_CHARS: usize = 120;

/// The port that Ollama listens on.
const OLLAMA_PORT: &str = ":11434";

/// A route of the server that a URL leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RouteMatch {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) has_query: bool,
}

/// A URL in parts. Where a tool has put a word for the base (`<API_BASE>/chat`), that is the authority.
struct Url<'a> {
    scheme: Option<&'a str>,
    authority: &'a str,
    path: &'a str,
    has_query: bool,
}

impl<'a> Url<'a> {
    fn of(url: &'a str) -> Self {
        let before_query = url.split(['?', '#']).next().unwrap_or_default();
        let has_query = url[before_query.len()..].starts_with('?');
        let (scheme, rest) =
            before_query.split_once("://").map_or((None, before_query), |(scheme, rest)| (Some(scheme), rest));
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        // What stands before the host may be a password.
        let authority = authority.rsplit('@').next().unwrap_or_default();
        Self { scheme, authority, path, has_query }
    }

    /// Returns whether the base is a word that a tool put there, so that part of the path may be in it.
    fn has_hidden_base(&self) -> bool {
        self.scheme.is_none() && !self.authority.is_empty()
    }
}

/// Returns the route that a request for `url` is for. A base path is taken off (`/openai/v1/models`), and put back
/// where a tool has hidden it.
pub(super) fn of(method: Option<Method>, url: &str) -> Option<RouteMatch> {
    let url = Url::of(url);
    let methods: Vec<Method> =
        METHODS.into_iter().filter(|known| method.is_none_or(|method| method == *known)).collect();
    let found = |path: &str| {
        let method = *methods.iter().find(|method| has_route(method.as_str(), path, &dialect::routes()))?;
        Some(RouteMatch { method, path: path.to_owned(), has_query: url.has_query })
    };
    if url.path == "/" {
        // Every server has a page there.
        let is_ollama = url.authority.is_empty() || url.has_hidden_base() || url.authority.ends_with(OLLAMA_PORT);
        return if is_ollama { found("/") } else { None };
    }
    let ends = || url.path.match_indices('/').map(|(at, _)| &url.path[at..]);
    let whole = ends().filter(|end| end[1..].contains('/')).find_map(found);
    whole.or_else(|| {
        ends()
            .filter(|end| url.has_hidden_base() || *end == "/chat/completions")
            .find_map(|end| found(&format!("/v1{end}")).or_else(|| found(&format!("/api{end}"))))
    })
}

/// Returns a URL as a note shows it: without query and password, and in printable characters.
pub(super) fn shown(url: &str) -> String {
    let Url { scheme, authority, path, .. } = Url::of(url);
    let scheme = scheme.map_or_else(String::new, |scheme| format!("{scheme}://"));
    let whole = format!("{scheme}{authority}{path}");
    let cut: String = whole.chars().take(MAX_SHOWN_CHARS).collect();
    let more = if cut.len() < whole.len() { "…" } else { "" };
    format!("{}{more}", cut.escape_debug())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{RouteMatch, of, shown};
    use crate::recording::Method;

    fn post(path: &str) -> RouteMatch {
        RouteMatch { method: Method::Post, path: path.to_owned(), has_query: false }
    }

    #[rstest]
    #[case::native("http://127.0.0.1:11434/api/chat", "/api/chat")]
    #[case::of_another_host("https://ollama.example.com/api/generate", "/api/generate")]
    #[case::without_a_host("/api/embed", "/api/embed")]
    #[case::without_a_scheme("localhost:11434/api/chat", "/api/chat")]
    #[case::below_a_base("https://gateway.example.com/team/ollama/api/chat", "/api/chat")]
    #[case::openai("https://api.openai.com/v1/chat/completions", "/v1/chat/completions")]
    #[case::openai_below_a_base("https://api.groq.com/openai/v1/chat/completions", "/v1/chat/completions")]
    #[case::without_the_version("https://x.example.com/deployments/m/chat/completions", "/v1/chat/completions")]
    #[case::anthropic("https://api.anthropic.com/v1/messages", "/v1/messages")]
    #[case::hidden_base("<API_BASE>/chat/completions", "/v1/chat/completions")]
    #[case::hidden_base_of_ollama("<OLLAMA>/chat", "/api/chat")]
    #[case::hidden_host("https://<HOST>/v1/responses", "/v1/responses")]
    #[case::hidden_host_alone("<HOST>/api/show", "/api/show")]
    #[case::fragment("http://h/api/chat#top", "/api/chat")]
    fn a_url_leads_to_the_route_at_its_end(#[case] url: &str, #[case] path: &str) {
        assert_eq!(of(Some(Method::Post), url), Some(post(path)));
    }

    #[rstest]
    #[case::other_path("https://example.com/index.html")]
    #[case::other_base("https://slack.example.com/api/messages")]
    #[case::longer_path("http://h/api/chat/more")]
    #[case::slash_at_the_end("http://h/api/chat/")]
    #[case::root("https://example.com/")]
    #[case::no_path("https://example.com")]
    #[case::nothing("")]
    #[case::only_a_query("?/api/chat")]
    #[case::in_the_query("https://example.com/x?u=/api/chat")]
    fn a_url_of_somebody_else_leads_nowhere(#[case] url: &str) {
        assert_eq!(of(Some(Method::Post), url), None);
    }

    #[rstest]
    #[case::stated(Some(Method::Get), "http://h/api/tags", Some(Method::Get))]
    #[case::not_that_one(Some(Method::Get), "http://h/api/chat", None)]
    #[case::not_stated(None, "/api/chat", Some(Method::Post))]
    #[case::not_stated_and_read(None, "/api/tags", Some(Method::Get))]
    #[case::root_of_ollama(Some(Method::Head), "http://localhost:11434/", Some(Method::Head))]
    #[case::root_of_ollama_without_its_slash(Some(Method::Get), "http://localhost:11434", Some(Method::Get))]
    #[case::root_without_a_host(Some(Method::Get), "/", Some(Method::Get))]
    fn the_method_belongs_to_the_route(
        #[case] method: Option<Method>,
        #[case] url: &str,
        #[case] expected: Option<Method>,
    ) {
        assert_eq!(of(method, url).map(|found| found.method), expected);
    }

    #[test]
    fn a_query_is_seen_and_not_kept() {
        let found = of(Some(Method::Post), "http://h/v1/messages?beta=true").unwrap();
        assert_eq!((found.path.as_str(), found.has_query), ("/v1/messages", true));
    }

    #[test]
    fn a_note_shows_no_secret_and_no_control_character() {
        assert_eq!(shown("https://me:secret@h/a\u{1b}[2J?key=secret#secret"), "https://h/a\\u{1b}[2J");
        assert!(shown(&"x".repeat(10_000)).chars().count() < 130);
    }

    proptest! {
        #[test]
        fn arbitrary_urls_never_panic(url in prop_oneof![".{0,40}", "[a-z<>:/?#@é]{0,30}"]) {
            let _ = of(None, &url);
            let _ = shown(&url);
        }
    }
}
