//! The route table, and what the router answers by itself (`server/routes.go`; gin; `net/http` `ServeMux`).

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Root,
    /// `/api/version`
    Version,
    /// `/api/tags`
    Tags,
    /// `/api/ps`
    Ps,
    /// `/api/show`
    Show,
    /// `/api/generate`
    Generate,
    /// `/api/chat`
    Chat,
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

const TABLE: &[(&str, &[&str], Route)] = &[
    ("/", &["HEAD", "GET"], Route::Root),
    ("/api/version", &["HEAD", "GET"], Route::Version),
    ("/api/tags", &["HEAD", "GET"], Route::Tags),
    ("/api/ps", &["GET"], Route::Ps),
    ("/api/show", &["POST"], Route::Show),
    ("/api/generate", &["POST"], Route::Generate),
    ("/api/chat", &["POST"], Route::Chat),
];

/// Routes a request by its method and target.
pub fn route(method: &str, target: &str) -> Routed {
    let target = origin_form(target);
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let redirect = |status, path: &str| {
        let location = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        Routed::Redirect { status, location }
    };
    let cleaned = clean(path);
    if cleaned != path {
        return redirect(307, &cleaned);
    }
    if let Some(route) = find(method, path) {
        return Routed::To(route);
    }
    if let Some(shorter) = path.strip_suffix('/')
        && find(method, shorter).is_some()
    {
        return redirect(if method == "GET" { 301 } else { 307 }, shorter);
    }
    let allowed: Vec<&str> = METHODS.into_iter().filter(|method| find(method, path).is_some()).collect();
    if allowed.is_empty() { Routed::NotFound } else { Routed::MethodNotAllowed { allow: allowed.join(", ") } }
}

/// The path and query of a target in absolute form, as a client sends it that believes in a proxy (RFC 9112 §3.2.2).
fn origin_form(target: &str) -> &str {
    let Some(rest) = target.strip_prefix("http://") else { return target };
    rest.find('/').map_or("/", |at| &rest[at..])
}

fn find(method: &str, path: &str) -> Option<Route> {
    let row = TABLE.iter().find(|(known, methods, _)| *known == path && methods.contains(&method));
    row.map(|(_, _, route)| *route)
}

/// The path without `//`, `/./` and `/../` (`net/http` `cleanPath`); a trailing slash stays.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let trailing = path.ends_with('/') && !parts.is_empty();
    format!("/{}{}", parts.join("/"), if trailing { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Route, Routed, route};

    #[rstest]
    #[case::root("GET", "/", Route::Root)]
    #[case::head("HEAD", "/api/tags", Route::Tags)]
    #[case::query("GET", "/api/version?x=1", Route::Version)]
    #[case::post("POST", "/api/chat", Route::Chat)]
    #[case::absolute_form("GET", "http://127.0.0.1:11434/api/ps", Route::Ps)]
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
    #[case::case_matters("GET", "/API/TAGS")]
    #[case::slash_after_a_path_of_another_method("POST", "/api/tags/")]
    fn other_paths_are_not_found(#[case] method: &str, #[case] target: &str) {
        assert_eq!(route(method, target), Routed::NotFound);
    }

    #[rstest]
    #[case("GET", "/api/generate", "POST")]
    #[case("DELETE", "/api/tags", "HEAD, GET")]
    #[case("HEAD", "/api/ps", "GET")]
    #[case("BREW", "/", "HEAD, GET")]
    fn another_method_is_told_which_ones_there_are(#[case] method: &str, #[case] target: &str, #[case] allow: &str) {
        assert_eq!(route(method, target), Routed::MethodNotAllowed { allow: allow.to_owned() });
    }

    #[rstest]
    #[case::slash_too_many("GET", "/api/tags/?x=1", 301, "/api/tags?x=1")]
    #[case::slash_too_many_on_head("HEAD", "/api/tags/", 307, "/api/tags")]
    #[case::slash_too_many_on_post("POST", "/api/chat/", 307, "/api/chat")]
    #[case::double_slash("GET", "//api/tags", 307, "/api/tags")]
    #[case::dots("GET", "/api/./x/../tags", 307, "/api/tags")]
    fn an_untidy_path_is_redirected(
        #[case] method: &str,
        #[case] target: &str,
        #[case] status: u16,
        #[case] location: &str,
    ) {
        assert_eq!(route(method, target), Routed::Redirect { status, location: location.to_owned() });
    }
}
