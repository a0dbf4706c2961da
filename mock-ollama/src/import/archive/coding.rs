//! Base64, gzip and deflate undone.

use std::io::Read;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::message::Unfit;
use crate::recording::limits::MAX_FILE_BYTES;

/// Standard base64, with padding or without.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The first bytes of a gzip file (RFC 1952 §2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];

/// Returns the bytes of a base64 text; line breaks in it are passed over.
pub(super) fn base64(text: &str, what: &str) -> Result<Vec<u8>, Unfit> {
    let compact: String = text.split_ascii_whitespace().collect();
    BASE64.decode(compact).map_err(|error| Unfit::Bad(format!("{what} is not base64: {error}")))
}

/// Returns a body without its content coding. A tool may have undone the coding and kept the field that names it, so
/// the bytes decide first.
pub(super) fn uncompressed(body: Vec<u8>, coding: Option<&str>) -> Result<Vec<u8>, Unfit> {
    if body.starts_with(&GZIP_MAGIC) {
        return read_all(MultiGzDecoder::new(body.as_slice()), "gzip");
    }
    match coding.map(|coding| coding.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "identity") => Ok(body),
        _ if std::str::from_utf8(&body).is_ok() => Ok(body),
        Some("deflate") => read_all(ZlibDecoder::new(body.as_slice()), "deflate"),
        Some(coding) => Err(Unfit::Bad(format!(
            "the body is compressed ({coding}); gzip and deflate are read here; let the tool keep it uncompressed"
        ))),
    }
}

fn read_all(from: impl Read, coding: &str) -> Result<Vec<u8>, Unfit> {
    let mut body = Vec::new();
    let read = from.take(MAX_FILE_BYTES + 1).read_to_end(&mut body);
    read.map_err(|error| Unfit::Bad(format!("the body does not read as {coding}: {error}")))?;
    if body.len() as u64 > MAX_FILE_BYTES {
        return Err(Unfit::Bad(format!(
            "the body is larger than {MAX_FILE_BYTES} bytes when {coding} is undone, the limit of a recording"
        )));
    }
    Ok(body)
}
