//! A request body in the making.

use super::BadRequest;
use super::chunked::ChunkDecoder;
use super::head::BodyLength;

/// Collects a request body from any segmentation.
#[derive(Debug)]
pub(super) struct BodyReader {
    how: How,
    body: Vec<u8>,
    limit: u64,
}

#[derive(Debug)]
enum How {
    Exact { left: u64 },
    Chunked(ChunkDecoder),
}

impl BodyReader {
    /// A reader for a body of this length, at most `limit` bytes of it.
    pub(super) fn new(length: BodyLength, limit: u64) -> Result<Self, BadRequest> {
        let how = match length {
            BodyLength::Exact(length) if length > limit => return Err(BadRequest::BodyTooLarge),
            BodyLength::Exact(left) => How::Exact { left },
            BodyLength::Chunked => How::Chunked(ChunkDecoder::default()),
        };
        Ok(Self { how, body: Vec::new(), limit })
    }

    /// Takes what belongs to the body from the front of `input` and says how many bytes that was.
    pub(super) fn feed(&mut self, input: &[u8]) -> Result<usize, BadRequest> {
        match &mut self.how {
            How::Exact { left } => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                self.body.extend_from_slice(&input[..take]);
                *left -= take as u64;
                Ok(take)
            }
            How::Chunked(decoder) => {
                let taken = decoder.feed(input, &mut self.body)?;
                if self.body.len() as u64 > self.limit {
                    return Err(BadRequest::BodyTooLarge);
                }
                Ok(taken)
            }
        }
    }

    pub(super) fn is_done(&self) -> bool {
        match &self.how {
            How::Exact { left } => *left == 0,
            How::Chunked(decoder) => decoder.is_done(),
        }
    }

    pub(super) fn into_body(self) -> Vec<u8> {
        self.body
    }
}
