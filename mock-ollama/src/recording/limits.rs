//! How large a recording may be. Every limit has its error in [`RecordingProblem`](super::RecordingProblem).

/// The most chunks of a recording, over all its exchanges.
pub const MAX_CHUNKS: usize = 100_000;

/// The largest recording, in bytes. A line has no limit: Go writes an answer in one chunk, and a batch of
/// embeddings or a request with images has many megabytes.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The deepest nesting of arrays and objects in a request body. (`serde_json` itself stops at 128.)
pub const MAX_BODY_NESTING: usize = 100;

/// The header fields that a recording never holds, because the server makes them anew for each
/// connection (RFC 9112 §6, RFC 9110 §6.6.1).
pub(crate) const FRAMING_HEADERS: [&str; 4] = ["Content-Length", "Transfer-Encoding", "Connection", "Date"];
