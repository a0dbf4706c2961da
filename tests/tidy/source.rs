//! Tells code from comments and strings, so that a check for `x(` does not stumble over prose about `x(`.
//!
//! A lexer of Rust in small: it knows comments, strings, raw strings, characters and lifetimes, and nothing else.

use crate::workspace::File;

/// A source text seen in two ways. Both have the lines of the original; what is left out is blank.
pub(crate) struct Source {
    /// Without comments and without the contents of strings and characters.
    pub(crate) code: String,
    /// With comments, without the contents of strings and characters.
    pub(crate) prose: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Source {
    /// Splits `text`.
    pub(crate) fn new(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let (mut code, mut prose) = (String::with_capacity(text.len()), String::with_capacity(text.len()));
        let mut at = 0;
        while at < chars.len() {
            let (kind, end) = piece(&chars, at);
            for &c in &chars[at..end] {
                let blank = if c == '\n' { '\n' } else { ' ' };
                code.push(if kind == Kind::Code { c } else { blank });
                prose.push(if kind == Kind::Literal { blank } else { c });
            }
            at = end;
        }
        Self { code, prose }
    }
}

/// The kind of what begins at `at`, and where it ends.
fn piece(chars: &[char], at: usize) -> (Kind, usize) {
    let next = |n: usize| chars.get(at + n).copied();
    match chars[at] {
        '/' if next(1) == Some('/') => (Kind::Comment, line_end(chars, at)),
        '/' if next(1) == Some('*') => (Kind::Comment, block_end(chars, at)),
        '"' => (Kind::Literal, string_end(chars, at + 1)),
        'r' | 'b' | 'c' if !follows_word(chars, at) => {
            let quote = chars[at..].iter().take(3).take_while(|c| matches!(c, 'r' | 'b' | 'c')).count();
            let raw = chars[at..at + quote].contains(&'r');
            let hashes = chars[at + quote..].iter().take_while(|&&c| c == '#').count();
            match next(quote + hashes) {
                Some('"') if raw => (Kind::Literal, raw_end(chars, at + quote + hashes + 1, hashes)),
                Some('"') if hashes == 0 => (Kind::Literal, string_end(chars, at + quote + 1)),
                _ => (Kind::Code, at + 1),
            }
        }
        // A lifetime has no closing quote behind its first character.
        '\'' if next(1) == Some('\\') || next(2) == Some('\'') => (Kind::Literal, char_end(chars, at + 1)),
        _ => (Kind::Code, at + 1),
    }
}

fn follows_word(chars: &[char], at: usize) -> bool {
    at > 0 && is_word(chars[at - 1])
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|&c| c == '\n').map_or(chars.len(), |n| at + n)
}

fn block_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0_usize, at);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) if depth == 1 => return i + 2,
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
    }
    chars.len()
}

fn string_end(chars: &[char], from: usize) -> usize {
    closing(chars, from, '"')
}

fn char_end(chars: &[char], from: usize) -> usize {
    closing(chars, from, '\'')
}

fn closing(chars: &[char], from: usize, quote: char) -> usize {
    let mut i = from;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            c if c == quote => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

fn raw_end(chars: &[char], from: usize, hashes: usize) -> usize {
    let closes =
        |i: usize| chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes;
    (from..chars.len()).find(|&i| closes(i)).map_or(chars.len(), |i| i + 1 + hashes)
}

/// Whether `c` can stand in an identifier.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The byte offsets at which `needle` begins in `text` and does not continue a word.
pub(crate) fn occurrences<'t>(text: &'t str, needle: &'t str) -> impl Iterator<Item = usize> + 't {
    text.match_indices(needle).map(|(at, _)| at).filter(|&at| !text[..at].chars().next_back().is_some_and(is_word))
}

/// The line of the byte offset `at`, counted from one.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The offset behind the bracket that closes the one at `open`, or the end of the text.
pub(crate) fn block_after(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (i, c) in code[open..].char_indices() {
        match c {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return open + i + c.len_utf8();
        }
    }
    code.len()
}

/// The Rust files of crates that hold no tests alone.
pub(crate) fn library_files(files: &[File]) -> impl Iterator<Item = &File> {
    let is_test = |path: &str| path.trim_end_matches(".rs").split('/').any(|part| part.ends_with("tests"));
    files.iter().filter(move |file| file.is_rust() && !is_test(&file.path))
}

/// `code` with every inline module of tests blanked: those behind `#[cfg(test)]`, whatever else stands in the brackets.
pub(crate) fn without_tests(code: &str) -> String {
    let mut left = code.to_owned();
    for (at, _) in code
        .match_indices("#[cfg(")
        .filter(|(at, _)| code[*at..].starts_with("#[cfg(test)") || code[*at..].starts_with("#[cfg(all(test"))
    {
        let Some(open) = code[at..].find(['{', ';']).map(|n| at + n) else { continue };
        let end = if code[open..].starts_with('{') { block_after(code, open) } else { open + 1 };
        let blank: Vec<u8> = code[at..end].bytes().map(|byte| if byte == b'\n' { byte } else { b' ' }).collect();
        left.replace_range(at..end, &String::from_utf8_lossy(&blank));
    }
    left
}

#[test]
fn modules_of_tests_are_blanked_and_nothing_else() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { {} }\n}\n#[cfg(test)]\nmod c;\nfn d() {}\n";
    let left = without_tests(code);
    assert!(
        left.contains("fn a()") && left.contains("fn d()") && !left.contains('b') && !left.contains("mod"),
        "{left}"
    );
    assert_eq!((left.len(), left.lines().count()), (code.len(), code.lines().count()));
}

#[test]
fn comments_and_strings_are_not_code() {
    let text = "a(); // b()\n/* c() /* d() */ e() */ f(\"g()\\\" h()\"); 'i'; '\\''; j::<'static>(r#\"k()\" l()\"#)";
    let code = Source::new(text).code;
    for gone in ["b()", "c()", "d()", "e()", "g()", "h()", "'i'", "k()", "l()"] {
        assert!(!code.contains(gone), "{gone} is left in {code}");
    }
    for kept in ["a();", "f(", "j::<'static>(", ")"] {
        assert!(code.contains(kept), "{kept} is gone from {code}");
    }
    assert_eq!(code.lines().count(), 2);
}

#[test]
fn prose_keeps_comments_and_code() {
    let prose = Source::new("a(); // why\nlet b = \"what\"; for_each(b\"x\", br##\"y\"##, c\"z\");").prose;
    assert!(prose.contains("a(); // why") && prose.contains("for_each("));
    for gone in ["what", "x", "y", "z"] {
        assert!(!prose.split("for_each").last().unwrap().contains(gone) && !prose.contains("what"), "{gone}");
    }
}

#[test]
fn a_needle_is_found_at_the_start_of_a_word_only() {
    assert_eq!(occurrences("sleep( no_sleep( x::sleep(", "sleep(").collect::<Vec<_>>(), [0, 20]);
}
