//! The address to record from.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Ollama's own port.
const DEFAULT_PORT: u16 = 11434;

/// `http://HOST[:PORT]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamUrl {
    /// The host, and the port that is meant.
    pub authority: String,
}

/// An address that cannot be recorded from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadUpstream {
    /// Encrypted connections hide where chunks end.
    #[error("{0}: https is not recorded; give the http:// address of the server itself")]
    Https(String),
    /// Anything else.
    #[error("{0}: write the upstream as http://HOST:PORT, without a path")]
    Form(String),
}

impl FromStr for UpstreamUrl {
    type Err = BadUpstream;

    fn from_str(text: &str) -> Result<Self, BadUpstream> {
        if text.starts_with("https://") {
            return Err(BadUpstream::Https(text.to_owned()));
        }
        let wrong = || BadUpstream::Form(text.to_owned());
        let authority = text.strip_prefix("http://").ok_or_else(wrong)?.trim_end_matches('/');
        if authority.is_empty() || authority.contains(['/', '?', '#', '@']) {
            return Err(wrong());
        }
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        if has_port && authority.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(wrong());
        }
        let authority = if has_port { authority.to_owned() } else { format!("{authority}:{DEFAULT_PORT}") };
        Ok(Self { authority })
    }
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{BadUpstream, UpstreamUrl};

    #[rstest]
    #[case("http://127.0.0.1:5", "http://127.0.0.1:5")]
    #[case("http://ollama.local/", "http://ollama.local:11434")]
    #[case("http://[::1]:7", "http://[::1]:7")]
    #[case("http://[::1]", "http://[::1]:11434")]
    fn an_upstream_is_a_host_with_a_port(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(text.parse::<UpstreamUrl>().unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("127.0.0.1:5")]
    #[case("http://")]
    #[case("http://a/path")]
    #[case("http://a:x")]
    fn any_other_form_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<UpstreamUrl>(), Err(BadUpstream::Form(text.to_owned())));
    }

    #[test]
    fn https_is_refused_with_what_to_do() {
        let error = "https://a".parse::<UpstreamUrl>().unwrap_err().to_string();
        assert_eq!(error, "https://a: https is not recorded; give the http:// address of the server itself");
    }
}
