//! Cross-origin requests (gin-contrib/cors, as `server/routes.go` sets it up).

use thiserror::Error;

use super::Fields;

/// Hosts from which pages may call, with or without a port, over `http` and `https`.
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "0.0.0.0"];

/// Schemes of applications that may call, whatever follows.
const SCHEMES: [&str; 5] = ["app://", "file://", "tauri://", "vscode-webview://", "vscode-file://"];

const METHODS: &str = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS";

const HEADERS: &str = "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta,X-Stainless-Arch,\
    X-Stainless-Async,X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,X-Stainless-Lang,X-Stainless-Os,\
    X-Stainless-Package-Version,X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime,\
    X-Stainless-Runtime-Version,X-Stainless-Timeout";

/// How long a browser may remember an answer to a preflight, in seconds: twelve hours.
const MAX_AGE: &str = "43200";

/// The origins that may call beside the default ones (`OLLAMA_ORIGINS`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    any: bool,
    rules: Vec<Rule>,
}

/// An origin, or what must stand before and after its `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Exact(String),
    Wildcard(String, String),
}

/// Why a list of origins is refused; the real server does not start with one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadOrigins {
    /// At most one `*` may stand in each.
    #[error("more than one * in the origin {0:?}")]
    ManyWildcards(String),
    /// Without `*` there must be a scheme.
    #[error("no scheme in the origin {0:?}, which has no * either")]
    NoScheme(String),
}

impl Origins {
    /// Reads a comma list; spaces and quotes around it do not count.
    ///
    /// # Errors
    /// An origin with two `*`, or one without `*` and without a scheme.
    pub fn parse(list: &str) -> Result<Self, BadOrigins> {
        let mut origins = Self::default();
        let list = list.trim().trim_matches(['"', '\'']);
        for origin in list.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
            match origin.split_once('*') {
                Some(("", "")) => origins.any = true,
                Some((_, after)) if after.contains('*') => return Err(BadOrigins::ManyWildcards(origin.to_owned())),
                Some((before, after)) => origins.rules.push(Rule::Wildcard(before.to_owned(), after.to_owned())),
                None if origin.contains("://") => origins.rules.push(Rule::Exact(origin.to_lowercase())),
                None => return Err(BadOrigins::NoScheme(origin.to_owned())),
            }
        }
        Ok(origins)
    }

    fn allow(&self, origin: &str) -> bool {
        let extra = || {
            self.rules.iter().any(|rule| match rule {
                Rule::Exact(known) => known == origin,
                Rule::Wildcard(before, after) => origin.starts_with(before) && origin.ends_with(after),
            })
        };
        self.any || is_default(origin) || extra()
    }
}

fn is_default(origin: &str) -> bool {
    let page = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    let of_host = |rest: &str| {
        HOSTS.iter().any(|host| rest.strip_prefix(host).is_some_and(|port| port.is_empty() || port.starts_with(':')))
    };
    page.is_some_and(of_host) || SCHEMES.iter().any(|scheme| origin.starts_with(scheme))
}

/// What the check of origins says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsVerdict {
    /// It is not a cross-origin request: nothing is added to its answer.
    NoHeaders,
    /// A handler takes it, and its answer carries these fields.
    Allowed(Fields),
    /// It asks whether it may; it may, and is answered 204 with these fields.
    Preflight(Fields),
    /// It is answered 403.
    Forbidden,
}

/// Checks the origin of a request; `host` is what its field `Host` says.
pub fn cors(method: &str, origin: Option<&str>, host: &str, extra: &Origins) -> CorsVerdict {
    let Some(origin) = origin.filter(|origin| !origin.is_empty()) else { return CorsVerdict::NoHeaders };
    let own = ["http://", "https://"].into_iter().any(|scheme| origin.strip_prefix(scheme) == Some(host));
    if own {
        return CorsVerdict::NoHeaders;
    }
    if !extra.allow(origin) {
        return CorsVerdict::Forbidden;
    }
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut fields = vec![field("Access-Control-Allow-Origin", if extra.any { "*" } else { origin })];
    if method != "OPTIONS" {
        if !extra.any {
            fields.push(field("Vary", "Origin"));
        }
        return CorsVerdict::Allowed(fields);
    }
    fields.push(field("Access-Control-Allow-Methods", METHODS));
    fields.push(field("Access-Control-Allow-Headers", HEADERS));
    fields.push(field("Access-Control-Max-Age", MAX_AGE));
    if !extra.any {
        let varying = ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"];
        fields.extend(varying.map(|name| field("Vary", name)));
    }
    CorsVerdict::Preflight(fields)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::{BadOrigins, CorsVerdict, Origins, cors};

    const HOST: &str = "127.0.0.1:11434";

    fn verdict(origin: &str, extra: &str) -> CorsVerdict {
        cors("GET", Some(origin), HOST, &Origins::parse(extra).unwrap())
    }

    fn is_allowed(origin: &str, extra: &str) -> bool {
        matches!(verdict(origin, extra), CorsVerdict::Allowed { .. })
    }

    #[rstest]
    #[case("http://localhost")]
    #[case("https://localhost:3000")]
    #[case("http://127.0.0.1")]
    #[case("https://0.0.0.0:8080")]
    #[case("app://x")]
    #[case("file://")]
    #[case("tauri://localhost")]
    #[case("vscode-webview://abc")]
    #[case("vscode-file://vscode-app")]
    fn w_015_an_allowed_origin_is_echoed_and_varies(#[case] origin: &str) {
        let fields = [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(verdict(origin, ""), CorsVerdict::Allowed(fields));
    }

    #[rstest]
    #[case("null")]
    #[case("http://evil.com")]
    #[case("http://[::1]:3000")]
    #[case("chrome-extension://abc")]
    #[case("http://localhost.evil.com")]
    #[case("http://LOCALHOST")]
    #[case("ws://localhost")]
    fn w_014_another_origin_is_forbidden(#[case] origin: &str) {
        assert_eq!(verdict(origin, ""), CorsVerdict::Forbidden);
    }

    #[rstest]
    #[case::none(None)]
    #[case::empty(Some(""))]
    #[case::own(Some("http://127.0.0.1:11434"))]
    #[case::own_by_https(Some("https://127.0.0.1:11434"))]
    fn w_017_a_request_of_the_servers_own_pages_gets_no_fields(#[case] origin: Option<&str>) {
        assert_eq!(cors("OPTIONS", origin, HOST, &Origins::default()), CorsVerdict::NoHeaders);
    }

    #[test]
    fn w_016_a_preflight_is_told_everything() {
        let verdict = cors("OPTIONS", Some("app://x"), HOST, &Origins::default());
        let CorsVerdict::Preflight(fields) = verdict else { panic!("{verdict:?}") };
        let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        Access-Control-Allow-Origin: app://x
        Access-Control-Allow-Methods: GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS
        Access-Control-Allow-Headers: Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta,X-Stainless-Arch,X-Stainless-Async,X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,X-Stainless-Lang,X-Stainless-Os,X-Stainless-Package-Version,X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime,X-Stainless-Runtime-Version,X-Stainless-Timeout
        Access-Control-Max-Age: 43200
        Vary: Origin
        Vary: Access-Control-Request-Method
        Vary: Access-Control-Request-Headers
        ");
    }

    #[rstest]
    #[case("http://a.example", "http://a.example", true)]
    #[case("http://a.example", "http://A.example", true)]
    #[case("http://b.example", "http://a.example", false)]
    #[case("http://x.example", " http://a.example , http://*.example ", true)]
    #[case("http://example.community", "http://example.com/*", false)]
    #[case("chrome-extension://abc", "chrome-extension://*", true)]
    #[case("https://deep.example", "*.example", true)]
    #[case("http://localhost", "http://a.example", true)]
    fn more_origins_come_from_a_list(#[case] origin: &str, #[case] list: &str, #[case] allowed: bool) {
        assert_eq!(is_allowed(origin, list), allowed);
    }

    #[test]
    fn a_star_alone_allows_everyone_and_does_not_vary() {
        let fields = vec![("Access-Control-Allow-Origin".to_owned(), "*".to_owned())];
        assert_eq!(verdict("null", "\"*\""), CorsVerdict::Allowed(fields));
    }

    #[rstest]
    #[case("http://*.*", BadOrigins::ManyWildcards("http://*.*".to_owned()))]
    #[case("localhost", BadOrigins::NoScheme("localhost".to_owned()))]
    fn a_list_that_cannot_be_meant_is_refused(#[case] list: &str, #[case] why: BadOrigins) {
        assert_eq!(Origins::parse(list), Err(why));
    }

    proptest! {
        #[test]
        fn any_origin_outside_the_table_is_forbidden(host in "[a-z]{1,12}\\.[a-z]{2,6}", port in 1_u16..) {
            prop_assert_eq!(verdict(&format!("https://{host}:{port}"), ""), CorsVerdict::Forbidden);
        }

        #[test]
        fn any_port_of_a_local_host_is_allowed(port in any::<u16>()) {
            let origin = format!("http://localhost:{port}");
            prop_assert!(is_allowed(&origin, ""));
        }
    }
}
