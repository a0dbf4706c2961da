//! Credentials on their way into the journal: `[redacted 1]` in place of the first value, `[redacted 2]` of the next.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use super::RequestSeen;

/// The most credentials that are told apart; any after them are `[redacted]` alone. A client that sends another one with
/// every request must not fill the memory.
pub const MAX_NUMBERED_CREDENTIALS: usize = 65_536;

/// What stands for a credential that has no number.
const UNNUMBERED: &str = "[redacted]";

/// A name that contains one of these is that of a credential. `_` counts as `-`.
const PARTS: &[&str] = &[
    "api-key",
    "assertion",
    "authentication",
    "authorization",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "secret",
    "session",
    "signature",
    "token",
    "xsrf",
];

/// So is a name with one of these among its words.
const WORDS: &[&str] = &["auth", "bearer", "otp", "pass", "pwd", "sid", "sig"];

/// So is a name with a word that ends in this …
const KEY: &str = "key";

/// … but for these, which repeat a request or open a socket, and let nobody in.
const HARMLESS_KEYS: &[&str] = &["idempotency-key", "sec-websocket-key", "x-idempotency-key"];

/// A value that begins with one of these schemes is a credential whatever its field is called.
const SCHEMES: &[&str] = &["basic ", "bearer ", "digest "];

/// Makes the credentials of requests unreadable, and numbers them by their first appearance: the same value has the same
/// number. It remembers a digest of each value, not the value.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    numbers: FxHashMap<[u8; 32], usize>,
    /// Those of the request that is being redacted.
    secrets: Secrets,
    /// Names of fields that came before, and whether they are those of credentials: clients send the same ones every time.
    names: FxHashMap<String, bool>,
}

/// The most names of fields that are remembered.
const MAX_REMEMBERED_NAMES: usize = 256;

impl Redactor {
    /// Replaces the credentials in the target and in the fields of a request, and where its body repeats them. Returns them.
    pub(crate) fn redact(&mut self, request: &mut RequestSeen) -> Secrets {
        if let Some(target) = self.url(&request.target) {
            request.target = target;
        }
        for (name, value) in &mut request.headers {
            if self.is_field_of_credential(name) || has_scheme(value) {
                *value = self.label(value);
            } else if let Some(url) = self.url(value) {
                *value = url;
            }
        }
        let secrets = std::mem::take(&mut self.secrets);
        secrets.conceal(&mut request.body);
        secrets
    }

    fn is_field_of_credential(&mut self, name: &str) -> bool {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let is_one = is_credential(name);
        if self.names.len() < MAX_REMEMBERED_NAMES {
            self.names.insert(name.to_owned(), is_one);
        }
        is_one
    }

    /// A path or URL without the credentials of its authority and its query; `None` where it has none.
    fn url(&mut self, url: &str) -> Option<String> {
        if !url.contains(['=', '@']) {
            return None;
        }
        let mut rest = url;
        let mut redacted = String::new();
        if let Some((scheme, after)) = url.split_once("://") {
            let end = after.find(['/', '?', '#']).unwrap_or(after.len());
            if let Some((user, _)) = after[..end].rsplit_once('@') {
                let _ = write!(redacted, "{scheme}://{}", self.label(user));
                rest = &after[user.len()..];
            }
        } else if !url.starts_with('/') {
            return None;
        }
        let query = rest.find(['?', '#']).unwrap_or(rest.len());
        let mut changed = !redacted.is_empty();
        redacted.push_str(&rest[..query]);
        for part in rest[query..].split_inclusive(['?', '&', ';', '#']) {
            let end = part.trim_end_matches(['?', '&', ';', '#']).len();
            match part[..end].split_once('=') {
                Some((name, value)) if !value.is_empty() && is_credential(&percent_decoded(name)) => {
                    let _ = write!(redacted, "{name}={}{}", self.label(&percent_decoded(value)), &part[end..]);
                    changed = true;
                }
                _ => redacted.push_str(part),
            }
        }
        changed.then_some(redacted)
    }

    /// What stands for this value.
    fn label(&mut self, value: &str) -> String {
        if value.is_empty() || value == UNNUMBERED {
            return value.to_owned();
        }
        let (digest, next) = (Sha256::digest(value).into(), self.numbers.len() + 1);
        let label = match self.numbers.get(&digest) {
            Some(number) => format!("[redacted {number}]"),
            None if next > MAX_NUMBERED_CREDENTIALS => UNNUMBERED.to_owned(),
            None => {
                self.numbers.insert(digest, next);
                format!("[redacted {next}]")
            }
        };
        self.secrets.add(value, &label);
        label
    }
}

/// The credentials of one request, to make them unreadable where an answer or an error repeats them. They stay in memory, and are
/// shown by nothing.
///
/// A word is looked for elsewhere when it has eight bytes or more, and a digit among them: `ollama` and `unused` are keys that
/// clients send, too.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(Vec<(String, String)>);

/// The least bytes of a word that is looked for.
const MIN_SECRET_BYTES: usize = 8;

impl Secrets {
    /// Adds a credential and the words that it is made of, such as the token behind a scheme.
    fn add(&mut self, value: &str, label: &str) {
        let is_secret = |word: &&str| word.len() >= MIN_SECRET_BYTES && word.bytes().any(|byte| byte.is_ascii_digit());
        let words = value.split([' ', ';', ',', '"', ':']).flat_map(|word| word.splitn(2, '='));
        // The whole comes first, so that it is replaced as one.
        for word in std::iter::once(value).chain(words).map(str::trim).filter(is_secret) {
            self.0.push((word.to_owned(), label.to_owned()));
        }
    }

    /// Returns a text in which each of them is replaced by what stands for it.
    pub(crate) fn concealed<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut concealed = Cow::Borrowed(text);
        for (word, label) in &self.0 {
            if concealed.contains(word) {
                concealed = Cow::Owned(concealed.replace(word, label));
            }
        }
        concealed
    }

    /// Replaces each of them in a text.
    pub(crate) fn conceal(&self, text: &mut String) {
        if let Cow::Owned(concealed) = self.concealed(text) {
            *text = concealed;
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// Whether a field or a parameter of this name holds a credential.
fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let is_one = |word: &str| WORDS.contains(&word) || word.ends_with(KEY);
    !HARMLESS_KEYS.contains(&name.as_str())
        && (PARTS.iter().any(|part| name.contains(part))
            || name.split(|letter: char| !letter.is_ascii_alphanumeric()).any(is_one))
}

fn has_scheme(value: &str) -> bool {
    SCHEMES.iter().any(|scheme| value.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)))
}

/// A name or value of a query with its `%` escapes undone; lossily where that is not UTF-8.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = escaped.filter(|_| first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn request(target: &str, headers: &[(&str, &str)]) -> RequestSeen {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        RequestSeen {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: headers.iter().map(owned).collect(),
            body: String::new(),
        }
    }

    fn redacted(target: &str, headers: &[(&str, &str)]) -> RequestSeen {
        let mut request = request(target, headers);
        Redactor::default().redact(&mut request);
        request
    }

    #[rstest]
    #[case::authorization("Authorization")]
    #[case::of_a_proxy("Proxy-Authorization")]
    #[case::cookie("cookie")]
    #[case::set_cookie("Set-Cookie")]
    #[case::key("X-Api-Key")]
    #[case::bare_key("api-key")]
    #[case::in_one_word("ApiKey")]
    #[case::google("X-Goog-Api-Key")]
    #[case::azure("Ocp-Apim-Subscription-Key")]
    #[case::token("X-Auth-Token")]
    #[case::cloud("X-Amz-Security-Token")]
    #[case::secret("x_client_secret")]
    #[case::password("X-Password")]
    #[case::session("X-Session-Id")]
    #[case::auth("X-Auth")]
    fn a_field_that_holds_a_credential_keeps_its_name_alone(#[case] name: &str) {
        assert_eq!(redacted("/", &[(name, "sk-1")]), request("/", &[(name, "[redacted 1]")]));
    }

    #[rstest]
    #[case::kind("Content-Type", "application/json")]
    #[case::keep("Keep-Alive", "timeout=5")]
    #[case::agent("X-Mock-Caller", "a0001")]
    #[case::retry("Idempotency-Key", "2b1f")]
    #[case::socket("Sec-WebSocket-Key", "x3JJHMbDL1EzLkh9GBhXDw==")]
    #[case::nothing_said("Authorization", "")]
    fn any_other_field_stays_as_it_is(#[case] name: &str, #[case] value: &str) {
        assert_eq!(redacted("/", &[(name, value)]), request("/", &[(name, value)]));
    }

    #[test]
    fn a_scheme_makes_any_field_a_credential() {
        let seen = redacted("/", &[("X-Upstream", "Bearer sk-1"), ("X-Other", "bearers of news")]);
        assert_eq!(seen.headers[0].1, "[redacted 1]");
        assert_eq!(seen.headers[1].1, "bearers of news");
    }

    #[rstest]
    #[case::key("/v1/x?key=sk-1", "/v1/x?key=[redacted 1]")]
    #[case::among_others("/x?a=1&api_key=sk-1&b=2", "/x?a=1&api_key=[redacted 1]&b=2")]
    #[case::escaped_name("/x?acces%73_toke%6e=sk-1", "/x?acces%73_toke%6e=[redacted 1]")]
    #[case::same_value_escaped("/x?token=sk-1&key=sk%2D1", "/x?token=[redacted 1]&key=[redacted 1]")]
    #[case::fragment("/x#access_token=sk-1", "/x#access_token=[redacted 1]")]
    #[case::user("http://me:sk-1@host/x?y=1", "http://[redacted 1]@host/x?y=1")]
    #[case::nothing("/x?model=key&page=2", "/x?model=key&page=2")]
    #[case::no_value("/x?key=&token", "/x?key=&token")]
    #[case::star("*", "*")]
    fn credentials_of_a_target_are_replaced(#[case] target: &str, #[case] expected: &str) {
        assert_eq!(redacted(target, &[("Referer", target)]), request(expected, &[("Referer", expected)]));
    }

    #[test]
    fn a_value_has_the_number_of_its_first_appearance_everywhere() {
        let mut redactor = Redactor::default();
        let mut values = |value| {
            let mut request = request(&format!("/?token={value}"), &[("Cookie", "c"), ("X-Api-Key", value)]);
            redactor.redact(&mut request);
            [request.target, request.headers[0].1.clone(), request.headers[1].1.clone()]
        };
        assert_eq!(values("a"), ["/?token=[redacted 1]", "[redacted 2]", "[redacted 1]"]);
        assert_eq!(values("b"), ["/?token=[redacted 3]", "[redacted 2]", "[redacted 3]"]);
    }

    #[rstest]
    #[case::bearer("Authorization", "Bearer sk-12345678", "key sk-12345678 is wrong", "key [redacted 1] is wrong")]
    #[case::key("x-api-key", "abcdefg1", "no abcdefg1 here", "no [redacted 1] here")]
    #[case::cookie("Cookie", "a=b; session=abc12345", "session abc12345 is over", "session [redacted 1] is over")]
    #[case::no_secret("Authorization", "Bearer ollama", "ollama is a server", "ollama is a server")]
    #[case::no_digit("Authorization", "Bearer lm-studio", "lm-studio is a server", "lm-studio is a server")]
    fn a_text_that_repeats_a_credential_does_not_show_it(
        #[case] name: &str,
        #[case] value: &str,
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        let mut request = request("/", &[(name, value)]);
        request.body = text.to_owned();
        let secrets = Redactor::default().redact(&mut request);
        assert_eq!(secrets.concealed(text), expected);
        assert_eq!(request.body, expected);
        assert!(!format!("{secrets:?}").contains("1234"));
    }

    #[test]
    fn the_credentials_of_one_request_are_not_looked_for_in_the_next() {
        let mut redactor = Redactor::default();
        redactor.redact(&mut request("/?key=abcdefg1", &[]));
        assert_eq!(redactor.redact(&mut request("/", &[])), Secrets::default());
    }

    #[test]
    fn above_the_limit_credentials_have_no_number() {
        let mut redactor = Redactor::default();
        let last = (0..=MAX_NUMBERED_CREDENTIALS).map(|n| redactor.label(&n.to_string())).last();
        assert_eq!(last.as_deref(), Some(UNNUMBERED));
        assert_eq!(redactor.label("0"), "[redacted 1]");
        assert_eq!(redactor.label(UNNUMBERED), UNNUMBERED);
    }

    proptest! {
        #[test]
        fn no_credential_is_left_wherever_it_stood(
            before in "[a-z0-9/?&;#=%.@:-]{0,12}", name in "[a-z-]{0,6}(token|api[-_]?key|secret)", more in "[a-z&=]{0,8}",
        ) {
            const PLANTED: &str = "PLANTED9";
            let target = format!("/{before}&{name}={PLANTED}&{more}");
            let queried = format!("/?{before}&{name}={PLANTED}&{more}");
            let seen = redacted(&queried, &[(&name, PLANTED), ("Referer", &format!("http://{PLANTED}@h{queried}"))]);
            prop_assert!(!format!("{seen:?}").contains(PLANTED), "{seen:?}");
            // What is no query is a path, and paths stay.
            let path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
            prop_assert!(redacted(&target, &[]).target.starts_with(&path));
        }

        #[test]
        fn redacting_again_changes_nothing(target in "/[a-z]{0,3}\\?(key|a)=[a-z]{0,3}", value in "[ -~]{0,9}") {
            let once = redacted(&target, &[("Cookie", &value)]);
            let mut again = once.clone();
            Redactor::default().redact(&mut again);
            prop_assert_eq!(again, once);
        }
    }
}
