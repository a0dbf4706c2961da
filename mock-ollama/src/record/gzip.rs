//! Bodies that came compressed, as they were before that.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

use crate::recording::Chunk;

/// Chunks with their compression undone: each holds what could be read when it had come, and those that told nothing yet
/// are left out. Of a body that was cut off, what came.
///
/// # Errors
/// It is not gzip, or longer than `most` bytes.
pub(super) fn decode(chunks: Vec<Chunk>, most: usize) -> io::Result<Vec<Chunk>> {
    let mut decoder = MultiGzDecoder::new(Room { bytes: Vec::new(), left: most });
    let mut decoded = Vec::new();
    for Chunk { at_us, bytes } in chunks {
        decoder.write_all(&bytes).and_then(|()| decoder.flush())?;
        let bytes = std::mem::take(&mut decoder.get_mut().bytes);
        if !bytes.is_empty() {
            decoded.push(Chunk { at_us, bytes: Bytes::from(bytes) });
        }
    }
    Ok(decoded)
}

/// Takes bytes up to a limit.
struct Room {
    bytes: Vec<u8>,
    left: usize,
}

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or_else(|| io::Error::other("longer than is recorded"))?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
