//! The format of an input, by how it begins.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::archive::tool::Tool;
use super::raw_capture;

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputFormat {
    /// A recording of this project.
    Recording,
    /// A file in which another tool keeps whole exchanges.
    Archive,
    /// `raw-capture/1`: request, response, chunks and times.
    Capture,
    /// A response with its head before the body, as `curl -i` prints it.
    Response,
    /// A body of server-sent events.
    Events,
    /// A body of JSON objects: one, or several one after the other.
    Objects,
    /// Nothing but white space.
    Empty,
    /// Nothing that can be imported as it is.
    Foreign {
        /// What it looks like, with its article.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
}

/// Whether an input is of a form.
type Test = fn(&Beginning<'_>) -> bool;

/// The forms in the order in which they are tried. The last row fits everything.
const FORMATS: &[(Test, InputFormat)] = &[
    (|input| input.has(|keys| keys.recording.is_some()), InputFormat::Recording),
    (|input| input.has(|keys| keys.format.as_deref() == Some(raw_capture::FORMAT)), InputFormat::Capture),
    (|input| Tool::of(input.bytes).is_some(), InputFormat::Archive),
    (|input| input.starts_with_any(&["HTTP/1.", "HTTP/2", "HTTP/3"]), InputFormat::Response),
    (is_events, InputFormat::Events),
    (|input| input.bytes.is_empty(), InputFormat::Empty),
    (is_objects, InputFormat::Objects),
    (
        |input| input.bytes.starts_with(&[0x1F, 0x8B]),
        foreign("compressed with gzip", "undo it with gunzip, or keep the body with curl --compressed"),
    ),
    (
        |input| input.bytes.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]),
        foreign("compressed with zstd", "undo it with unzstd, or keep the body with curl --compressed"),
    ),
    (|input| input.bytes.starts_with(b"PK\x03\x04"), foreign("a ZIP archive", "unpack it and import the folder")),
    (
        |input| input.bytes.starts_with(b"["),
        foreign("a JSON array", "put each of its objects on its own line, for instance with jq -c '.[]'"),
    ),
    (
        |input| input.bytes.starts_with(b"\""),
        foreign("a JSON string", "take the body out of it, for instance with jq -r ."),
    ),
    (
        |input| input.starts_with_any(&["<"]) && !input.starts_with_any(&["< "]),
        foreign("a page of HTML or XML", "something else answered, such as a proxy; ask the server itself"),
    ),
    (
        |input| input.starts_with_any(&["* ", "> ", "< ", "$ ", "curl ", "  % Total", "% Total"]),
        foreign("the transcript of a terminal", "keep the body alone, with curl -o FILE"),
    ),
    (
        |input| input.bytes.starts_with(b"\x1B["),
        foreign("text with the colours of a terminal", "print it without them, for instance with jq -M"),
    ),
    (|input| input.starts_with_any(&["```"]), foreign("Markdown", "take out the lines that begin with ```")),
    (is_literal, foreign("a printed object of Python or JavaScript", "print the body as JSON")),
    (is_coded, foreign("base64", "undo it with base64 -d")),
    (
        is_chunk_size,
        foreign("a body in the chunked coding, as it was on the socket", "keep it decoded, with curl -o FILE"),
    ),
    (is_yaml, foreign("YAML", "take the body of the response out of it")),
    (
        |_| true,
        foreign(
            "text or bytes of no known form",
            "keep the body as the server sent it, for instance with curl -o FILE",
        ),
    ),
];

const fn foreign(what: &'static str, advice: &'static str) -> InputFormat {
    InputFormat::Foreign { what, advice }
}

/// The keys of a first JSON object that tell a form.
#[derive(Deserialize)]
struct Keys {
    format: Option<String>,
    recording: Option<IgnoredAny>,
}

/// An input from its first byte that is no white space.
struct Beginning<'a> {
    bytes: &'a [u8],
    /// Of the first JSON object, where there is a whole one.
    keys: Option<Keys>,
}

impl Beginning<'_> {
    fn has(&self, test: impl Fn(&Keys) -> bool) -> bool {
        self.keys.as_ref().is_some_and(test)
    }

    fn starts_with_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.bytes.starts_with(word.as_bytes()))
    }

    /// Returns the first line, without what ends it.
    fn line(&self) -> &[u8] {
        self.bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default()
    }
}

impl InputFormat {
    /// Returns the format of `bytes`, which are UTF-8 where they are text.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.trim_ascii_start();
        // An array would be read as the keys in their order.
        let is_object = bytes.starts_with(b"{");
        let first = || serde_json::Deserializer::from_slice(bytes).into_iter().next().and_then(Result::ok);
        let keys = is_object.then(first).flatten();
        let beginning = Beginning { bytes, keys };
        let row = FORMATS.iter().find(|(test, _)| test(&beginning));
        row.map_or(Self::Objects, |(_, form)| *form)
    }
}

/// Returns whether it begins with a field of an event or a comment (WHATWG HTML §9.2.5), and has `data` somewhere.
fn is_events(input: &Beginning<'_>) -> bool {
    let begins = input.starts_with_any(&[":", "data:", "event:", "id:", "retry:"]);
    let mut lines = input.bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    begins && lines.any(|line| line.strip_prefix(b"data:").is_some_and(|data| !data.trim_ascii().is_empty()))
}

/// Returns whether it begins with a brace, and then a key in quotes or nothing that says otherwise.
fn is_objects(input: &Beginning<'_>) -> bool {
    let rest = input.bytes.strip_prefix(b"{");
    rest.is_some_and(|rest| matches!(rest.trim_ascii_start().first(), None | Some(b'"' | b'}')))
}

/// `{'model': …`, `{ model: …`, `b'…'`, `ChatResponse(model=…`, `model='…'`.
fn is_literal(input: &Beginning<'_>) -> bool {
    let word = input.bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let after = |end: &[&str]| word > 0 && end.iter().any(|end| input.bytes[word..].starts_with(end.as_bytes()));
    input.bytes.starts_with(b"{") || after(&["(", "='", "=\"", "'", "\""])
}

/// Base64 of a body.
fn is_coded(input: &Beginning<'_>) -> bool {
    /// Enough to see how the decoded body begins; whole groups of four.
    const LOOKED_AT_CHARS: usize = 64;
    let text: Vec<u8> =
        input.bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(LOOKED_AT_CHARS).collect();
    STANDARD.decode(text).is_ok_and(|decoded| {
        [&b"{"[..], b"data:", b"event:", b"[", &[0x1F, 0x8B]].iter().any(|begin| decoded.starts_with(begin))
    })
}

/// Returns whether the size of a chunk in hexadecimal stands alone on the first line.
fn is_chunk_size(input: &Beginning<'_>) -> bool {
    let line = input.line();
    let behind = input.bytes[line.len()..].trim_ascii_start();
    !line.is_empty() && line.iter().all(u8::is_ascii_hexdigit) && matches!(behind.first(), Some(b'{' | b'd' | b'e'))
}

/// Returns whether it begins with a document, a comment or directive, or a key.
fn is_yaml(input: &Beginning<'_>) -> bool {
    let line = input.line();
    let key = line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
    let is_key = key > 0 && (line[key..] == *b":" || line[key..].starts_with(b": "));
    is_key || input.starts_with_any(&["---", "%YAML", "# ", "- "])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::InputFormat;

    #[rstest]
    #[case::recording("{\"recording\":1,\"name\":\"x\"}\n", InputFormat::Recording)]
    #[case::capture("{\"format\":\"raw-capture/1\"}\n", InputFormat::Capture)]
    #[case::format_of_something_else("{\"format\":\"json\"}\n", InputFormat::Objects)]
    #[case::curl_i("HTTP/1.1 200 OK\r\n\r\n{}", InputFormat::Response)]
    #[case::curl_i_of_http_2("HTTP/2 404 \r\n\r\n{}", InputFormat::Response)]
    #[case::data("data: {}\n\n", InputFormat::Events)]
    #[case::data_without_a_space("data:{}\n\n", InputFormat::Events)]
    #[case::event("event: message_start\ndata: {}\n\n", InputFormat::Events)]
    #[case::comment(": keep-alive\n\ndata: {}\n\n", InputFormat::Events)]
    #[case::bare_comment(":\n\ndata: {}\n\n", InputFormat::Events)]
    #[case::id("id: 1\ndata: {}\n\n", InputFormat::Events)]
    #[case::retry("retry: 3000\n\ndata: {}\n\n", InputFormat::Events)]
    #[case::carriage_returns("retry: 3000\r\rdata: {}\r\r", InputFormat::Events)]
    #[case::blank_lines_first("\n\ndata: {}\n\n", InputFormat::Events)]
    #[case::object("{\"model\":\"m\"}", InputFormat::Objects)]
    #[case::pretty_object("{\n  \"model\": \"m\"\n}", InputFormat::Objects)]
    #[case::empty_object("{}", InputFormat::Objects)]
    #[case::cut_object("{", InputFormat::Objects)]
    #[case::nothing("", InputFormat::Empty)]
    #[case::blank("\n \r\n", InputFormat::Empty)]
    fn a_form_that_is_read_is_told_by_its_beginning(#[case] text: &str, #[case] form: InputFormat) {
        assert_eq!(InputFormat::of(text.as_bytes()), form);
    }

    #[rstest]
    #[case::gzip(b"\x1F\x8B\x08\x00", "compressed with gzip")]
    #[case::zstd(b"\x28\xB5\x2F\xFD\x00", "compressed with zstd")]
    #[case::zip(b"PK\x03\x04", "a ZIP archive")]
    #[case::array(b"[{\"model\":\"m\"}]", "a JSON array")]
    #[case::array_like_the_keys_of_a_recording(b"[null,1]", "a JSON array")]
    #[case::string(b"\"{\\\"model\\\":1}\"", "a JSON string")]
    #[case::html(b"<!DOCTYPE html><html>", "a page of HTML or XML")]
    #[case::curl_v(b"* Connected to localhost\n> POST /api/chat HTTP/1.1\n", "the transcript of a terminal")]
    #[case::curl_v_answer(b"< HTTP/1.1 200 OK\n<\n{}", "the transcript of a terminal")]
    #[case::command(b"$ curl http://localhost\n{}", "the transcript of a terminal")]
    #[case::meter(b"  % Total    % Received", "the transcript of a terminal")]
    #[case::colours(b"\x1B[1;39m{", "text with the colours of a terminal")]
    #[case::markdown(b"```json\n{}\n```\n", "Markdown")]
    #[case::python_dict(b"{'model': 'm'}", "a printed object of Python or JavaScript")]
    #[case::python_object(b"ChatResponse(model='m')", "a printed object of Python or JavaScript")]
    #[case::python_fields(b"model='m' created_at=", "a printed object of Python or JavaScript")]
    #[case::python_bytes(b"b'{\"model\"", "a printed object of Python or JavaScript")]
    #[case::node(b"{\n  model: 'm'\n}", "a printed object of Python or JavaScript")]
    #[case::base64(b"eyJtb2RlbCI6Im0iLCJk\nb25lIjp0cnVlfQ==\n", "base64")]
    #[case::chunked(b"1a\r\n{\"model\"", "a body in the chunked coding, as it was on the socket")]
    #[case::yaml_document(b"---\nmodel: m\n", "YAML")]
    #[case::yaml_key(b"response:\n  body: x\n", "YAML")]
    #[case::yaml_data(b"data:\n  body: x\n", "YAML")]
    #[case::text(b"Ollama is running", "text or bytes of no known form")]
    fn what_is_not_read_is_called_by_its_name(#[case] bytes: &[u8], #[case] expected: &str) {
        let InputFormat::Foreign { what, .. } = InputFormat::of(bytes) else { panic!("{:?}", InputFormat::of(bytes)) };
        assert_eq!(what, expected);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_and_deep_ones_have_a_form(
            bytes in prop::collection::vec(any::<u8>(), 0..64), brace in prop::sample::select(vec!["[", "{\"a\":", "{"]),
        ) {
            InputFormat::of(&bytes);
            InputFormat::of(brace.repeat(50_000).as_bytes());
        }
    }
}
