//! A recording in memory: one captured exchange, or a conversation of them, with chunk times.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request_body::RequestBody;

/// One recording: a file's worth of exchanges with one model.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Recording {
    /// The recording's name, unique within a catalog; by convention the file's stem.
    pub name: String,
    /// How the times came about.
    pub origin: Origin,
    /// One sentence on what this recording is and what it is for.
    pub description: Option<String>,
    /// The server that answered, such as `ollama 0.33.0`.
    pub server: Option<String>,
    /// The model that answered.
    pub model: Model,
    /// The licence of the bytes, as an SPDX expression.
    pub licence: Option<String>,
    /// Where the bytes were taken from, when that is not this project.
    pub source: Option<String>,
    /// The regular expressions whose matches were made unreadable when it was recorded; requests are treated with
    /// them before they are compared.
    pub scrub: Vec<String>,
    /// The exchanges, in the order in which they were recorded; at least one.
    pub exchanges: Vec<Exchange>,
}

impl Recording {
    /// Returns a recording of which nothing more is known than this. `model` is the model's name as the server lists
    /// it; the file format asks for at least one exchange.
    ///
    /// ```
    /// use mock_ollama::recording::to_string;
    /// use mock_ollama::{Origin, Recording, builtin};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let kept = builtin::recording("tiny-short").ok_or("it is built in")??;
    /// let mine = Recording::new("mine", Origin::Synthetic, "mine:latest", kept.exchanges);
    /// assert!(to_string(&mine)?.starts_with(r#"{"recording":1,"name":"mine","origin":"synthetic""#));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(name: impl Into<String>, origin: Origin, model: impl Into<String>, exchanges: Vec<Exchange>) -> Self {
        Self {
            name: name.into(),
            origin,
            description: None,
            server: None,
            model: Model { name: model.into(), ..Model::default() },
            licence: None,
            source: None,
            scrub: Vec::new(),
            exchanges,
        }
    }
}

/// How a recording's bytes and times came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Origin {
    /// Bytes and times are as they arrived on a socket.
    Recorded,
    /// The bytes were kept elsewhere; times follow from their own timestamps or were given.
    Imported,
    /// Built from published counters.
    Reconstructed,
    /// Made up.
    Synthetic,
}

impl Origin {
    /// Returns the origin as it stands in a file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Imported => "imported",
            Self::Reconstructed => "reconstructed",
            Self::Synthetic => "synthetic",
        }
    }
}

/// What is known of the model that answered; the facts that `/api/tags` and `/api/show` list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The model's name as the server lists it, such as `quill-small:latest`.
    pub name: String,
    /// `completion`, `tools`, `thinking`, … in the order of `/api/tags`.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Family, size and quantisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// The size of all layers, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// 64 hexadecimal digits, without a `sha256:` prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When the model was last changed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<String>,
}

/// The `details` object of a listed model (Ollama `api/types.go`, `ModelDetails`), in wire order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Details {
    /// The model it was made from; empty when there is none.
    #[serde(default)]
    pub parent_model: String,
    /// The file format, such as `gguf`.
    #[serde(default)]
    pub format: String,
    /// The architecture family, such as `llama`.
    #[serde(default)]
    pub family: String,
    /// All families, or `null`.
    #[serde(default)]
    pub families: Option<Vec<String>>,
    /// Human form of the parameter count, such as `1.2B`.
    #[serde(default)]
    pub parameter_size: String,
    /// Such as `Q4_K_M`.
    #[serde(default)]
    pub quantization_level: String,
    /// The longest context, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_length: Option<u64>,
    /// The width of an embedding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_length: Option<u64>,
}

/// One request and its response.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exchange {
    /// What was asked; absent when it is not known, and then only loose matching finds the exchange.
    pub request: Option<Request>,
    /// When the request was sent, in microseconds on the common clock of a set of recordings.
    pub sent_us: Option<u64>,
    /// The response head.
    pub response: Response,
    /// The response body as it came. One chunk is one HTTP chunk (or, of a body with
    /// `Content-Length`, one piece as it was read); times never decrease.
    pub chunks: Vec<Chunk>,
    /// How the body ended.
    pub end: End,
}

/// A recorded request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The request method.
    pub method: Method,
    /// The request path, without a query; see [`Request::path_of`].
    pub path: String,
    /// The body; absent when there was none, or when only the path is known.
    pub body: Option<RequestBody>,
}

impl Request {
    /// Returns a recorded request.
    pub fn new(method: Method, path: impl Into<String>, body: Option<RequestBody>) -> Self {
        Self { method, path: path.into(), body }
    }

    /// Returns a `POST` with a JSON body, as all requests for an answer are.
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::Post, path, Some(RequestBody::Json(body)))
    }

    /// Returns the path that is kept of a request target: without scheme, host and query, none of which an answer of
    /// Ollama's depends on. What is not visible ASCII is percent-encoded.
    ///
    /// ```
    /// # use mock_ollama::Request;
    /// assert_eq!(Request::path_of("/v1/messages?beta=true"), "/v1/messages");
    /// assert_eq!(Request::path_of("http://localhost:11434/v1/models/é%2Fb"), "/v1/models/%C3%A9%2Fb");
    /// ```
    pub fn path_of(target: &str) -> Cow<'_, str> {
        let absolute = ["http://", "https://"].into_iter().find_map(|scheme| target.strip_prefix(scheme));
        let path = absolute.map_or(target, |rest| rest.find('/').map_or("/", |at| &rest[at..]));
        let path = path.split('?').next().unwrap_or_default();
        let is_kept = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        if path.bytes().all(is_kept) {
            return Cow::Borrowed(path);
        }
        path.bytes()
            .fold(String::new(), |out, byte| {
                out + &if is_kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            })
            .into()
    }
}

/// The methods that Ollama's router registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

impl Method {
    #[cfg(any(feature = "import", feature = "record"))]
    const ALL: [Self; 4] = [Self::Get, Self::Head, Self::Post, Self::Delete];

    /// Returns the method of this name, in capitals.
    #[cfg(any(feature = "import", feature = "record"))]
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Returns the method as it stands in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A recorded response head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields the handler set, in wire order. The framing ones (`Content-Length`,
    /// `Transfer-Encoding`, `Connection`, `Date`) are not stored: the server makes them anew.
    pub headers: Vec<(String, String)>,
}

impl Response {
    /// Returns a response head with these fields.
    pub fn new(status: u16, headers: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        Self { status, headers: headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }

    /// Returns the value of the header called `name`, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Some bytes of a response body and when they came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chunk {
    /// Microseconds from the moment the request had been received.
    pub at_us: u64,
    /// The bytes, verbatim.
    pub bytes: Bytes,
}

impl Chunk {
    /// Returns these bytes, as they came at `at_us`.
    pub fn new(at_us: u64, bytes: impl Into<Bytes>) -> Self {
        Self { at_us, bytes: bytes.into() }
    }
}

/// How a response body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The terminating chunk came, or `Content-Length` was reached.
    Clean,
    /// The server closed the connection before the body was complete.
    Eof,
    /// The server reset the connection.
    Reset,
    /// The recorder closed the connection; what the server would have sent next is not known.
    ClientClosed,
    /// The recorder gave up waiting; what the server would have sent next is not known.
    Timeout,
}

impl Exchange {
    /// Returns an exchange whose body came to its end; when it was asked for is not known.
    pub fn new(request: Option<Request>, response: Response, chunks: Vec<Chunk>) -> Self {
        Self { request, sent_us: None, response, chunks, end: End::Clean }
    }

    /// Returns the body's length in bytes.
    pub(crate) fn body_len(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.bytes.len() as u64).sum()
    }

    /// Returns the whole body.
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(usize::try_from(self.body_len()).unwrap_or(0));
        for chunk in &self.chunks {
            body.extend_from_slice(&chunk.bytes);
        }
        body
    }
}
