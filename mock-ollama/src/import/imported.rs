//! One exchange of an input, and what is known of it beside its body.

use crate::recording::{Exchange, Method, Origin, RequestBody};

/// One exchange of an input.
pub(super) struct ImportedExchange {
    pub(super) exchange: Exchange,
    pub(super) origin: Origin,
    pub(super) server: Option<String>,
    pub(super) model: Option<String>,
    /// What the user should know of it.
    pub(super) notes: Vec<String>,
}

/// What is known of an exchange beside the body of its response. What is absent follows from the body.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownFacts {
    pub(super) method: Option<Method>,
    pub(super) path: Option<String>,
    pub(super) request: Option<RequestBody>,
    pub(super) status: Option<u16>,
    /// The header fields of the response.
    pub(super) fields: Vec<(String, String)>,
}
