//! Output to a terminal: escaped, so that the terminal shows it and never obeys it.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, ErrorKind, Write as _};

/// Returns a text of several lines with everything escaped that a terminal would obey or that would change the order of what
/// is read: control characters but the line feed, and the controls of bidirectional text (UAX #9).
///
/// ```
/// use mock_ollama::terminal::shown;
///
/// assert_eq!(shown("Tiny 👍\n"), "Tiny 👍\n");
/// assert_eq!(shown("\u{1b}[2J \u{202e}"), "\\u{1b}[2J \\u{202e}");
/// ```
pub fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, |character| character != '\n' && is_obeyed(character))
}

/// Returns a text that is part of a line: as [`shown`], and its line feeds are escaped too.
pub fn in_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed)
}

/// Writes a line to standard error, as [`shown`]. A failure to write is ignored.
pub fn complain(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", shown(&line.to_string()));
}

/// Writes a text to standard output, as [`shown`]. A reader that has gone away has read enough.
pub fn say(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(shown(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Reads the command line. Where that asks for help, or is wrong, it says so and returns the exit code to end with.
#[cfg(feature = "cli")]
pub fn command_line<C: clap::Parser>() -> Result<C, std::process::ExitCode> {
    use std::process::ExitCode;

    /// The command line is wrong.
    const EXIT_USAGE: u8 = 2;
    /// Standard output could not be written.
    const EXIT_IO: u8 = 5;

    C::try_parse().map_err(|error| {
        let printed = error.print();
        match (error.use_stderr(), printed) {
            (true, _) => ExitCode::from(EXIT_USAGE),
            (false, Err(error)) if error.kind() != ErrorKind::BrokenPipe => ExitCode::from(EXIT_IO),
            (false, _) => ExitCode::SUCCESS,
        }
    })
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_escaped(character) {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "{}", character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_feed_ends_a_line_of_a_page_and_is_escaped_within_one() {
        assert_eq!((shown("a\nb"), in_line("a\nb")), ("a\nb".into(), "a\\nb".into()));
    }

    proptest! {
        #[test]
        fn nothing_is_left_that_a_terminal_would_obey(text in any::<String>(), control in "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202a}-\u{202e}\u{2066}-\u{2069}]") {
            let text = format!("{text}{control}{text}");
            let line = in_line(&text);
            let is_left = line.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
            prop_assert!(!is_left, "{line:?}");
            prop_assert_eq!(shown(&text).matches('\n').count(), text.matches('\n').count());
        }

        #[test]
        fn a_text_without_controls_is_shown_as_it_is(text in "[ -~\u{e9}\u{65e5}\u{1f44d}\u{200d}\n]{0,20}") {
            prop_assert_eq!(shown(&text), text.as_str());
        }
    }
}
