//! The route table, and what the router answers by itself (`server/routes.go`; gin; `net/http` `ServeMux`).

use super::target::{Url, clean, encode};

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A route of a wire dialect, by its path.
    Answer(&'static str),
    /// `/`
    Root,
    /// `/api/version`
    Version,
    /// `/api/status`
    Status,
    /// `/api/tags`
    Tags,
    /// `/api/ps`
    Ps,
    /// `/api/show`
    Show,
    /// `/api/embed`
    Embed,
    /// `/api/embeddings`
    Embeddings,
    /// `/api/pull`
    Pull,
    /// `/api/push`
    Push,
    /// `/api/create`
    Create,
    /// `/api/copy`
    Copy,
    /// `/api/delete`
    Delete,
    /// `HEAD /api/blobs/:digest`, with the digest as it is asked for.
    BlobHead(String),
    /// `POST /api/blobs/:digest`, with the digest as it is asked for.
    BlobPut(String),
    /// `/api/me`
    Me,
    /// `/api/signout` and its older form, `/api/user/keys/:encodedKey`
    Signout,
    /// `/api/experimental/web_search`
    WebSearch,
    /// `/api/experimental/web_fetch`
    WebFetch,
    /// `/api/experimental/model-recommendations`
    Recommendations,
    /// `/v1/embeddings`
    OpenAiEmbeddings,
    /// `/v1/models`
    OpenAiModels,
    /// `/v1/models/:model`, with the name as it is asked for.
    OpenAiModel(String),
    /// `/v1/audio/transcriptions`
    Transcriptions,
}

impl Route {
    /// Returns whether it is for changing the models.
    pub fn changes_models(&self) -> bool {
        matches!(
            self,
            Self::Pull | Self::Push | Self::Create | Self::Copy | Self::Delete | Self::BlobPut(_) | Self::Signout
        )
    }
}

/// The answer of the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routed {
    /// A handler takes it.
    To(Route),
    /// No such path.
    NotFound,
    /// The path exists for other methods: the value of `Allow`.
    MethodNotAllowed {
        /// The methods that are registered for the path.
        allow: String,
    },
    /// The path is to be asked for in another form.
    Redirect {
        /// 301 or 307.
        status: u16,
        /// Where it is.
        location: String,
    },
}

/// Methods in the order in which `Allow` lists them.
const METHODS: [&str; 4] = ["HEAD", "GET", "POST", "DELETE"];

/// Paths without a parameter.
const TABLE: &[(&str, &[&str], Route)] = &[
    ("/", &["HEAD", "GET"], Route::Root),
    ("/api/version", &["HEAD", "GET"], Route::Version),
    ("/api/status", &["GET"], Route::Status),
    ("/api/tags", &["HEAD", "GET"], Route::Tags),
    ("/api/ps", &["GET"], Route::Ps),
    ("/api/show", &["POST"], Route::Show),
    ("/api/embed", &["POST"], Route::Embed),
    ("/api/embeddings", &["POST"], Route::Embeddings),
    ("/api/pull", &["POST"], Route::Pull),
    ("/api/push", &["POST"], Route::Push),
    ("/api/create", &["POST"], Route::Create),
    ("/api/copy", &["POST"], Route::Copy),
    ("/api/delete", &["DELETE"], Route::Delete),
    ("/api/me", &["POST"], Route::Me),
    ("/api/signout", &["POST"], Route::Signout),
    ("/api/experimental/web_search", &["POST"], Route::WebSearch),
    ("/api/experimental/web_fetch", &["POST"], Route::WebFetch),
    ("/api/experimental/model-recommendations", &["GET"], Route::Recommendations),
    ("/v1/embeddings", &["POST"], Route::OpenAiEmbeddings),
    ("/v1/models", &["GET"], Route::OpenAiModels),
    ("/v1/audio/transcriptions", &["POST"], Route::Transcriptions),
];

/// A path up to its last segment, which is a parameter; a method; and what makes the route of the parameter.
type WithParameter = (&'static str, &'static str, fn(String) -> Route);

/// Paths whose last segment is a parameter.
const WITH_PARAMETER: &[WithParameter] = &[
    ("/api/blobs/", "HEAD", Route::BlobHead),
    ("/api/blobs/", "POST", Route::BlobPut),
    ("/api/user/keys/", "DELETE", |_| Route::Signout),
    ("/v1/models/", "GET", Route::OpenAiModel),
];

/// Returns whether a handler takes requests with this method for this path, whose escapes are resolved.
/// `answers` are the paths of the wire dialects.
pub fn has_route(method: &str, path: &str, answers: &[&'static str]) -> bool {
    find(method, path, answers).is_some()
}

/// Routes a request by its method and target. The escapes of the path are resolved, so that an escaped slash separates
/// segments like any other.
pub(super) fn route(method: &str, url: &Url, answers: &[&'static str]) -> Routed {
    let path = &url.path;
    let redirect = |status, path: &str, query: Option<&String>| {
        let location = query.map_or_else(|| encode(path), |query| format!("{}?{query}", encode(path)));
        Routed::Redirect { status, location }
    };
    // The path is cleaned as it was sent; Go escapes the result once more.
    let cleaned = clean(&url.escaped_path);
    if cleaned != url.escaped_path && method != "CONNECT" {
        return redirect(307, &cleaned, url.query.as_ref().filter(|query| !query.is_empty()));
    }
    if let Some(route) = find(method, path, answers) {
        return Routed::To(route);
    }
    if let Some(shorter) = path.strip_suffix('/')
        && find(method, shorter, answers).is_some()
    {
        return redirect(if method == "GET" { 301 } else { 307 }, shorter, url.query.as_ref());
    }
    let allowed: Vec<&str> = METHODS.into_iter().filter(|method| find(method, path, answers).is_some()).collect();
    if allowed.is_empty() { Routed::NotFound } else { Routed::MethodNotAllowed { allow: allowed.join(", ") } }
}

fn find(method: &str, path: &str, answers: &[&'static str]) -> Option<Route> {
    if let Some(path) = answers.iter().find(|known| method == "POST" && **known == path) {
        return Some(Route::Answer(path));
    }
    let row = TABLE.iter().find(|(known, methods, _)| *known == path && methods.contains(&method));
    if let Some((_, _, route)) = row {
        return Some(route.clone());
    }
    WITH_PARAMETER.iter().filter(|(_, known, _)| *known == method).find_map(|(prefix, _, route)| {
        let parameter = path.strip_prefix(prefix)?;
        (!parameter.is_empty() && !parameter.contains('/')).then(|| route(parameter.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Route, Routed, Url};

    fn route(method: &str, target: &str) -> Routed {
        super::route(method, &Url::parse(method, target).unwrap(), &["/api/generate", "/api/chat"])
    }

    #[rstest]
    #[case::root("GET", "/", Route::Root)]
    #[case::head("HEAD", "/api/tags", Route::Tags)]
    #[case::query("GET", "/api/version?x=1", Route::Version)]
    #[case::post("POST", "/api/chat", Route::Answer("/api/chat"))]
    #[case::absolute_form("GET", "http://127.0.0.1:11434/api/ps", Route::Ps)]
    #[case::escaped("GET", "/api/%74ags", Route::Tags)]
    #[case::digest("HEAD", "/api/blobs/sha256:ab", Route::BlobHead("sha256:ab".to_owned()))]
    #[case::upload("POST", "/api/blobs/sha256-ab", Route::BlobPut("sha256-ab".to_owned()))]
    #[case::model("GET", "/v1/models/a:b", Route::OpenAiModel("a:b".to_owned()))]
    #[case::older_signout("DELETE", "/api/user/keys/abc", Route::Signout)]
    fn a_registered_method_and_path_find_their_handler(
        #[case] method: &str,
        #[case] target: &str,
        #[case] expected: Route,
    ) {
        assert_eq!(route(method, target), Routed::To(expected));
    }

    #[rstest]
    #[case::unknown("GET", "/nope")]
    #[case::parent("GET", "/api")]
    #[case::version_alone("GET", "/v1")]
    #[case::case_matters("GET", "/API/TAGS")]
    #[case::slash_after_a_path_of_another_method("POST", "/api/tags/")]
    #[case::two_segments("GET", "/v1/models/ns/x")]
    #[case::two_segments_in_disguise("GET", "/v1/models/ns%2Fx")]
    #[case::empty_parameter("POST", "/api/blobs/")]
    #[case::profiles("GET", "/debug/pprof/")]
    #[case::w_107_count_tokens("POST", "/v1/messages/count_tokens")]
    #[case::images("POST", "/v1/images/generations")]
    #[case::metrics("GET", "/metrics")]
    #[case::escaped_dots("GET", "/api/%2e%2e/api/tags")]
    #[case::escaped_slash("GET", "/%2Fapi/tags")]
    #[case::tunnel("CONNECT", "//api/tags/x")]
    fn w_004_other_paths_are_not_found(#[case] method: &str, #[case] target: &str) {
        assert_eq!(route(method, target), Routed::NotFound);
    }

    #[rstest]
    #[case("GET", "/api/generate", "POST")]
    #[case("DELETE", "/api/tags", "HEAD, GET")]
    #[case("GET", "/api/blobs/sha256:ab", "HEAD, POST")]
    #[case("HEAD", "/api/ps", "GET")]
    #[case("HEAD", "/v1/models", "GET")]
    #[case("POST", "/v1/models/x", "GET")]
    #[case("POST", "/api/delete", "DELETE")]
    #[case("OPTIONS", "/api/chat", "POST")]
    #[case("BREW", "/", "HEAD, GET")]
    fn w_005_another_method_is_told_which_ones_there_are(
        #[case] method: &str,
        #[case] target: &str,
        #[case] allow: &str,
    ) {
        assert_eq!(route(method, target), Routed::MethodNotAllowed { allow: allow.to_owned() });
    }

    #[rstest]
    #[case::slash_too_many("GET", "/api/tags/?x=1", 301, "/api/tags?x=1")]
    #[case::slash_too_many_on_head("HEAD", "/api/tags/", 307, "/api/tags")]
    #[case::slash_too_many_on_post("POST", "/api/chat/", 307, "/api/chat")]
    #[case::slash_instead_of_a_parameter("GET", "/v1/models/", 301, "/v1/models")]
    #[case::slash_after_a_parameter("GET", "/v1/models/x/", 301, "/v1/models/x")]
    #[case::double_slash("GET", "//api/tags", 307, "/api/tags")]
    #[case::empty_query("GET", "//api/tags?", 307, "/api/tags")]
    #[case::empty_query_after_a_slash("GET", "/api/tags/?", 301, "/api/tags?")]
    #[case::no_path("GET", "http://example.com", 307, "/")]
    #[case::opaque("GET", "mailto:x", 307, "/")]
    #[case::dots("GET", "/api/./x/../tags", 307, "/api/tags")]
    #[case::escapes("POST", "/api/../a%20b", 307, "/a%2520b")]
    fn w_008_an_untidy_path_is_redirected(
        #[case] method: &str,
        #[case] target: &str,
        #[case] status: u16,
        #[case] location: &str,
    ) {
        assert_eq!(route(method, target), Routed::Redirect { status, location: location.to_owned() });
    }
}
