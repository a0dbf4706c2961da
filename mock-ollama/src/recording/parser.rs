//! Lines in, a recording out: the order of lines, and what each must say.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use super::body::BodyBuilder;
use super::error::{LineKind, RecordingProblem};
use super::limits::{MAX_BODY_NESTING, MAX_CHUNKS};
use super::model::{Exchange, Recording, Request, Response};
use super::request_body::{RequestBody, is_nested_deeper, pieces};
use super::rules;
use super::wire::{
    EndLine, EventLine, HeaderLine, Payload, RequestLine, RequestObject, ResponseLine, VERSION, VersionLine, message_of,
};
use super::writer::hex;

/// Characters of a canonical line that an error quotes.
const QUOTED_CHARS: usize = 100;

/// A recording while it is read.
#[derive(Default)]
pub(super) struct Parser {
    recording: Option<Recording>,
    /// A request line that has no response line yet.
    asked: Option<Asked>,
    /// An exchange that has no end line yet.
    open: Option<Open>,
    chunks: usize,
}

struct Asked {
    request: Option<Request>,
    sent_us: Option<u64>,
}

struct Open {
    asked: Asked,
    response: Response,
    body: BodyBuilder,
}

impl Parser {
    /// Reads the next line, without its newline.
    pub(super) fn line(&mut self, text: &str) -> Result<(), RecordingProblem> {
        let Some(recording) = &mut self.recording else {
            self.recording = Some(header(text)?);
            return Ok(());
        };
        match (&mut self.open, kind_of(text)?) {
            (None, LineKind::Request) if self.asked.is_none() => self.asked = Some(request(text)?),
            (None, LineKind::Response) => {
                let asked = self.asked.take().unwrap_or(Asked { request: None, sent_us: None });
                let response = response(text)?;
                self.open = Some(Open { asked, response, body: BodyBuilder::default() });
            }
            (Some(open), LineKind::Event) => {
                self.chunks += 1;
                if self.chunks > MAX_CHUNKS {
                    return Err(RecordingProblem::TooManyChunks);
                }
                open.event(text)?;
            }
            (Some(_), LineKind::End) => {
                if let Some(open) = self.open.take() {
                    recording.exchanges.push(open.close(text)?);
                }
            }
            (_, found) => return Err(RecordingProblem::Misplaced { expected: self.expected(), found }),
        }
        Ok(())
    }

    /// Returns the recording, since there are no more lines.
    pub(super) fn finish(self) -> Result<Recording, RecordingProblem> {
        let unfinished = self.open.is_some() || self.asked.is_some();
        let expected = self.expected();
        match self.recording {
            None => Err(RecordingProblem::Empty),
            Some(_) if unfinished => Err(RecordingProblem::Truncated(expected)),
            Some(recording) if recording.exchanges.is_empty() => Err(RecordingProblem::NoExchanges),
            Some(recording) => Ok(recording),
        }
    }

    fn expected(&self) -> &'static str {
        match (&self.open, &self.asked) {
            (Some(_), _) => "an event line or the end line",
            (None, Some(_)) => "the response line",
            (None, None) => "a request line or a response line",
        }
    }
}

impl Open {
    fn event(&mut self, text: &str) -> Result<(), RecordingProblem> {
        let (status, before) = (self.response.status, self.body.last_at_us());
        if let Some(chunk) = self.body.canonical(text) {
            rules::chunk(status, before, chunk.at_us, chunk.length)?;
            self.body.append(chunk);
        } else {
            let (at_us, bytes) = event(text)?;
            rules::chunk(status, before, at_us, bytes.len())?;
            self.body.push(at_us, &bytes);
        }
        Ok(())
    }

    fn close(self, text: &str) -> Result<Exchange, RecordingProblem> {
        let EndLine { end } = parse(text, LineKind::End)?;
        let (chunks, bytes) = (self.body.chunks() as u64, self.body.bytes().len() as u64);
        if end.chunks != chunks {
            return Err(RecordingProblem::EndChunks { stated: end.chunks, found: chunks });
        }
        if end.bytes != bytes {
            return Err(RecordingProblem::EndBytes { stated: end.bytes, found: bytes });
        }
        let sha256 = hex(&Sha256::digest(self.body.bytes()));
        if end.sha256 != sha256 {
            return Err(RecordingProblem::EndSha256 { stated: end.sha256.into_owned(), found: sha256 });
        }
        let Asked { request, sent_us } = self.asked;
        Ok(Exchange { request, sent_us, response: self.response, chunks: self.body.into_chunks(), end: end.how })
    }
}

fn header(text: &str) -> Result<Recording, RecordingProblem> {
    // The version first: another version may have other keys.
    let VersionLine { recording: version } = parse(text, LineKind::Header)?;
    if version != VERSION {
        return Err(RecordingProblem::Version(version));
    }
    let header: HeaderLine<'_> = parse(text, LineKind::Header)?;
    rules::header(&header.name, &header.model)?;
    Ok(Recording {
        name: header.name.into_owned(),
        origin: header.origin,
        description: header.description.map(Cow::into_owned),
        server: header.server.map(Cow::into_owned),
        model: header.model.into_owned(),
        licence: header.licence.map(Cow::into_owned),
        source: header.source.map(Cow::into_owned),
        scrub: header.scrub.into_owned(),
        exchanges: Vec::new(),
    })
}

fn request(text: &str) -> Result<Asked, RecordingProblem> {
    let RequestLine { request, sent_us } = parse(text, LineKind::Request)?;
    let Some(RequestObject { method, path, body, body_text }) = request else {
        return Ok(Asked { request: None, sent_us });
    };
    let body = match (body, body_text) {
        (Some(_), Some(_)) => return Err(RecordingProblem::TwoBodies),
        (Some(json), None) if is_nested_deeper(json.get(), MAX_BODY_NESTING) => {
            return Err(RecordingProblem::BodyNesting);
        }
        (Some(json), None) => Some(RequestBody::of_json(&json)),
        (None, text) => text.map(|text| RequestBody::Text(text.into_owned())),
    };
    rules::path(&path)?;
    Ok(Asked { request: Some(Request { method, path: path.into_owned(), body }), sent_us })
}

fn response(text: &str) -> Result<Response, RecordingProblem> {
    let ResponseLine::<Response> { response } = parse(text, LineKind::Response)?;
    rules::response(&response)?;
    Ok(response)
}

/// Event lines must be canonical to the byte: two ways to write one chunk would let a byte change unseen.
///
/// [`BodyBuilder::canonical`] takes most of them; here come those of bytes that are no text, and those that are wrong.
fn event(text: &str) -> Result<(u64, Vec<u8>), RecordingProblem> {
    let EventLine(at_us, payload) = parse(text, LineKind::Event)?;
    let bytes = payload.decode().map_err(|error| RecordingProblem::Base64(error.to_string()))?;
    let canonical = serde_json::to_string(&EventLine(at_us, Payload::of(&bytes)));
    match canonical {
        Ok(canonical) if canonical == text => Ok((at_us, bytes)),
        canonical => {
            let canonical = canonical.unwrap_or_default();
            let mut expected: String = canonical.chars().take(QUOTED_CHARS).collect();
            if expected.len() < canonical.len() {
                expected.push('…');
            }
            Err(RecordingProblem::NotCanonical(expected))
        }
    }
}

/// Returns what kind of line this is: an array is an event, an object's kind follows from its first key.
fn kind_of(text: &str) -> Result<LineKind, RecordingProblem> {
    if text.starts_with('[') {
        return Ok(LineKind::Event);
    }
    parse::<IgnoredAny>(text, LineKind::Event)?;
    if !text.trim_start().starts_with('{') {
        return Err(RecordingProblem::UnknownLine("neither an array nor an object".to_owned()));
    }
    let key: Option<String> = pieces(text).next().and_then(|(_, literal)| serde_json::from_str(literal).ok());
    match key.as_deref() {
        Some("recording") => Ok(LineKind::Header),
        Some("request") => Ok(LineKind::Request),
        Some("response") => Ok(LineKind::Response),
        Some("end") => Ok(LineKind::End),
        Some(key) => Err(RecordingProblem::UnknownLine(format!("an object whose first key is {key:?}"))),
        None => Err(RecordingProblem::UnknownLine("an empty object".to_owned())),
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str, expected: LineKind) -> Result<T, RecordingProblem> {
    serde_json::from_str(text).map_err(|error| {
        let (column, message) = (error.column(), message_of(&error));
        // serde_json calls a surplus array element a fault of syntax.
        if error.is_data() || serde_json::from_str::<IgnoredAny>(text).is_ok() {
            RecordingProblem::Shape { expected, column, message }
        } else {
            RecordingProblem::NotJson { column, message }
        }
    })
}
