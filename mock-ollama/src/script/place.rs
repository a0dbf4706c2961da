//! Where something is wrong in a script, and what to write instead.

/// How alike two words are, from 0 to 1, when one is taken for a slip of the other.
const ALIKE: f64 = 0.75;

/// What serde calls a form, and what a writer of scripts calls it.
const FORMS: &[(&str, &str)] = &[
    ("a boolean", "true or false"),
    ("a map", "a table"),
    ("a sequence", "a list"),
    ("f32", "a number"),
    ("f64", "a number"),
    ("u16", "a whole number"),
    ("u32", "a whole number"),
    ("u64", "a whole number"),
    ("usize", "a whole number"),
];

/// Keys of other forms, and what stands for them.
const OTHER_KEYS: &[(&str, &str)] =
    &[("answer", "rule"), ("words", "when.prompt"), ("models", "when.model"), ("pieces", "reply.pieces")];

/// A `[[model]]` or `[[rule]]` as it stands in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    /// Where it begins, in bytes.
    pub(super) start: usize,
}

impl Block<'_> {
    /// Returns the file and the line of a key; the first line of the block where the key is not at the beginning of a
    /// line.
    pub(super) fn place(self, key: &str) -> String {
        let head = line_at(self.text, self.start);
        let body = self.text.lines().skip(head).take_while(|line| !line.trim_start().starts_with('['));
        let is_key = |line: &str| {
            let rest = line.trim_start().strip_prefix(key).map(str::trim_start);
            !key.is_empty() && rest.is_some_and(|rest| rest.starts_with(['=', '.']))
        };
        let line = body.zip(head + 1..).find(|(line, _)| is_key(line)).map_or(head, |(_, number)| number);
        format!("{}: line {line}", self.file)
    }
}

/// Returns the line of an offset, counted from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// Returns the line where TOML went wrong, how, and what to write instead, in one line.
pub(super) fn explained(text: &str, error: &toml::de::Error) -> String {
    let line = line_at(text, error.span().map_or(0, |span| span.start));
    format!("line {line}: {}", in_plain_words(error.message()).replace('\n', "; "))
}

fn in_plain_words(message: &str) -> String {
    for (kind, word) in [("unknown field ", "key"), ("unknown variant ", "value")] {
        if message.starts_with(kind) {
            let mut quoted = message.split('`').skip(1).step_by(2);
            return unknown(word, quoted.next().unwrap_or_default(), &quoted.collect::<Vec<_>>());
        }
    }
    if let Some(missing) = message.strip_prefix("missing field ") {
        return format!("missing key {missing}; add it");
    }
    let Some((wrong, expected)) = message.split_once(", expected ") else { return message.to_owned() };
    let form = FORMS.iter().find(|(form, _)| *form == expected).map(|(_, plain)| *plain);
    let form = form.unwrap_or(if expected.starts_with("struct ") { "a table" } else { expected });
    format!("{wrong}; write {form}")
}

fn unknown(word: &str, found: &str, known: &[&str]) -> String {
    if let Some((_, right)) = OTHER_KEYS.iter().find(|(other, _)| *other == found) {
        return format!("unknown {word} `{found}`; write `{right}`, or one of {}", known.join(", "));
    }
    let likeness = |known: &&&str| strsim::jaro_winkler(found, known);
    let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let nearest = nearest.filter(|nearest| likeness(nearest) >= ALIKE);
    let nearest = nearest.map_or_else(String::new, |nearest| format!("`{nearest}`, or "));
    format!("unknown {word} `{found}`; write {nearest}one of {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::slip(
        "unknown field `peices`, expected one of `words`, `pieces`",
        "unknown key `peices`; write `pieces`, or one of words, pieces"
    )]
    #[case::far("unknown field `xyz`, expected `words` or `pieces`", "unknown key `xyz`; write one of words, pieces")]
    #[case::value(
        "unknown variant `lenght`, expected `stop` or `length`",
        "unknown value `lenght`; write `length`, or one of stop, length"
    )]
    #[case::missing("missing field `vector`", "missing key `vector`; add it")]
    #[case::number("invalid type: string \"x\", expected u64", "invalid type: string \"x\"; write a whole number")]
    #[case::table("invalid type: integer `1`, expected struct ModelForm", "invalid type: integer `1`; write a table")]
    #[case::text("invalid type: integer `1`, expected a string", "invalid type: integer `1`; write a string")]
    #[case::other("duplicate key", "duplicate key")]
    fn a_message_says_what_to_write_instead(#[case] message: &str, #[case] expected: &str) {
        assert_eq!(in_plain_words(message), expected);
    }

    #[test]
    fn a_key_is_found_in_its_own_block_alone() {
        let text =
            "[[model]]\nname = \"a\"\n\n[[rule]]\ngap_of = 1\n  gap = \"x\"\n[[rule]]\nwords = []\ngap = \"y\"\n";
        let place = |block: &str, key: &str| Block { file: "f", text, start: text.find(block).unwrap() }.place(key);
        assert_eq!(place("[[model]]", "name"), "f: line 2");
        assert_eq!(place("[[rule]]", "gap"), "f: line 6");
        assert_eq!(place("[[rule]]\nwords", "gap"), "f: line 9");
        assert_eq!(place("[[model]]", "gap"), "f: line 1");
        assert_eq!(place("[[rule]]", ""), "f: line 4");
    }
}
