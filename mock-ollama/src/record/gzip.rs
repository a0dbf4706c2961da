//! Bodies that came compressed, as they were before that.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

use crate::recording::Chunk;

/// Chunks with their compression undone: each holds what could be read when it had come, and those that decoded to nothing yet
/// are left out. Of a body that was cut off, what came.
///
/// # Errors
/// It is not gzip, or longer than `most` bytes.
pub(super) fn decode(chunks: Vec<Chunk>, most: usize) -> io::Result<Vec<Chunk>> {
    let mut unpacker = MultiGzDecoder::new(Room { bytes: Vec::new(), left: most });
    let mut decoded = Vec::new();
    for Chunk { at_us, bytes } in chunks {
        unpacker.write_all(&bytes).and_then(|()| unpacker.flush())?;
        let bytes = std::mem::take(&mut unpacker.get_mut().bytes);
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bytes::Bytes;

    use super::decode;
    use crate::recording::Chunk;

    fn chunks(pieces: &[&[u8]]) -> Vec<Chunk> {
        let chunk = |(at, piece): (usize, &&[u8])| Chunk { at_us: at as u64, bytes: Bytes::copy_from_slice(piece) };
        pieces.iter().enumerate().map(chunk).collect()
    }

    /// Two lines as a server sends them that flushes after each.
    fn packed() -> (Vec<u8>, usize) {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"one\n").unwrap();
        encoder.flush().unwrap();
        let cut = encoder.get_ref().len();
        encoder.write_all(b"two\n").unwrap();
        (encoder.finish().unwrap(), cut)
    }

    #[test]
    fn each_chunk_holds_what_could_be_read_when_it_had_come() {
        let (packed, cut) = packed();
        let decoded = decode(chunks(&[&packed[..5], &packed[5..cut], &packed[cut..]]), 8).unwrap();
        let decoded: Vec<(u64, &[u8])> = decoded.iter().map(|chunk| (chunk.at_us, &*chunk.bytes)).collect();
        assert_eq!(decoded, [(1, b"one\n".as_slice()), (2, b"two\n")]);
    }

    #[test]
    fn of_a_body_that_breaks_off_what_came_is_kept() {
        let (packed, cut) = packed();
        assert_eq!(decode(chunks(&[&packed[..cut]]), 8).unwrap()[0].bytes, "one\n");
    }

    #[test]
    fn a_body_that_is_longer_than_the_limit_or_is_not_gzip_is_refused() {
        let (packed, _) = packed();
        assert_eq!(decode(chunks(&[&packed]), 7).unwrap_err().to_string(), "longer than is recorded");
        assert_eq!(decode(chunks(&[b"{\"a\":1}, no gzip"]), 7).unwrap_err().to_string(), "invalid gzip header");
    }
}
