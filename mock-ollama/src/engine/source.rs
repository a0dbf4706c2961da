//! Where the bytes of an answer come from.

use std::sync::Arc;

use super::config::CreatedAt;
use super::live::LiveAnswer;
use crate::catalog::{Body, Prepared};
use crate::fault::WireEnd;
use crate::models::Card;

/// Where the bytes of an answer come from.
#[derive(Debug)]
pub(super) enum AnswerSource {
    /// Bytes that are there already: a recording, or a reply of the server itself.
    Prepared {
        response: Arc<Prepared>,
        /// Which time the objects carry.
        created_at: CreatedAt,
    },
    /// A generation that is rendered while it is served.
    Live(Box<LiveAnswer>),
}

/// A change of the models that happens when the answer that reports it has ended.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// A pull or create has succeeded.
    Add(Box<Card>),
}

impl AnswerSource {
    /// Returns the number of chunks, where it is known.
    pub(super) fn chunk_count(&self) -> usize {
        match self {
            Self::Prepared { response, .. } => match &response.body {
                Body::Stream(chunks) => chunks.pieces.len(),
                Body::Whole { .. } => 1,
            },
            Self::Live(_) => 0,
        }
    }

    /// Returns the status of the response; a live one may still fail.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Prepared { response, .. } => response.status,
            Self::Live(_) => 200,
        }
    }

    /// Returns how the answer ends on the wire.
    pub(super) fn wire_end(&self) -> WireEnd {
        match self {
            Self::Prepared { response, .. } => response.end,
            Self::Live(live) => live.end,
        }
        .into()
    }

    /// Returns whether the client sees it piece by piece.
    pub(super) fn is_streamed(&self) -> bool {
        match self {
            Self::Prepared { response, .. } => matches!(response.body, Body::Stream(_)),
            Self::Live(live) => live.is_stream(),
        }
    }
}
