//! Model names: `[host/][namespace/]model[:tag]` (`types/model/name.go`).

use std::fmt;

const DEFAULT_HOST: &str = "registry.ollama.ai";
const DEFAULT_NAMESPACE: &str = "library";
const DEFAULT_TAG: &str = "latest";

/// The longest part of a name but the host, in characters.
const MAX_PART: usize = 80;

/// The longest host, in characters.
const MAX_HOST: usize = 350;

/// A model's name in its shortest canonical form, lower case, with its tag.
///
/// ```
/// use mock_ollama::models::ModelName;
///
/// let name = ModelName::parse("registry.ollama.ai/library/Tiny").unwrap();
/// assert_eq!(name.as_str(), "tiny:latest");
/// assert_eq!(ModelName::parse("bad name!"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelName(String);

impl ModelName {
    /// Reads a name as a request gives it: case and surrounding spaces do not count, defaults may be left out.
    /// `None` for a name that breaks the grammar.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (path, tag) = match text.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            _ => (text, DEFAULT_TAG),
        };
        let parts: Vec<&str> = path.split('/').collect();
        let (host, namespace, model) = match parts.as_slice() {
            [model] => (DEFAULT_HOST, DEFAULT_NAMESPACE, *model),
            [namespace, model] => (DEFAULT_HOST, *namespace, *model),
            [host, namespace, model] => (*host, *namespace, *model),
            _ => return None,
        };
        let valid = is_part(host, ".:", MAX_HOST)
            && is_part(namespace, "", MAX_PART)
            && is_part(model, ".", MAX_PART)
            && is_part(tag, ".", MAX_PART);
        if !valid {
            return None;
        }
        let short = if !host.eq_ignore_ascii_case(DEFAULT_HOST) {
            format!("{host}/{namespace}/{model}:{tag}")
        } else if !namespace.eq_ignore_ascii_case(DEFAULT_NAMESPACE) {
            format!("{namespace}/{model}:{tag}")
        } else {
            format!("{model}:{tag}")
        };
        Some(Self(short.to_ascii_lowercase()))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns a name with all the parts that it leaves out, whether or not it keeps to the grammar.
pub fn qualified(name: &str) -> String {
    let tagged = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    let name = if tagged { name.to_owned() } else { format!("{name}:{DEFAULT_TAG}") };
    match name.matches('/').count() {
        0 => format!("{DEFAULT_HOST}/{DEFAULT_NAMESPACE}/{name}"),
        1 => format!("{DEFAULT_HOST}/{name}"),
        _ => name,
    }
}

fn is_part(part: &str, extra: &str, longest: usize) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let inner = |c: char| word(c) || c == '-' || extra.contains(c);
    (1..=longest).contains(&part.len()) && part.starts_with(word) && part.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::ModelName;

    #[rstest]
    #[case("m", "m:latest")]
    #[case(" M ", "m:latest")]
    #[case("library/m", "m:latest")]
    #[case("registry.ollama.ai/library/m:latest", "m:latest")]
    #[case("ns/m:7b-q4_K_M", "ns/m:7b-q4_k_m")]
    #[case("127.0.0.1:5000/library/m", "127.0.0.1:5000/library/m:latest")]
    fn a_name_has_one_canonical_form(#[case] text: &str, #[case] canonical: &str) {
        assert_eq!(ModelName::parse(text).unwrap().as_str(), canonical);
    }

    #[rstest]
    #[case("")]
    #[case("bad name!")]
    #[case("a/b/c/d")]
    #[case("a//m")]
    #[case("-m")]
    #[case("m:")]
    #[case(":tag")]
    #[case("n.s/m")]
    fn a_malformed_name_is_none(#[case] text: &str) {
        assert_eq!(ModelName::parse(text), None);
    }
}
