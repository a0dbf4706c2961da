//! Errors of `/v1/messages` (`anthropic/anthropic.go`).

use serde_json::json;

use crate::dialect::ids::Ids;
use crate::dialect::refuse::wrap;
use crate::generation::Refusal;
use crate::go_json::to_string;
use crate::http::Reply;

/// Returns the response to a refused request (`anthropic.NewError`).
pub(crate) fn refuse(refusal: &Refusal, ids: Ids) -> Reply {
    let kind = match refusal.status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        _ => "api_error",
    };
    let request_id = format!("req_{}", ids.hex("request", 24));
    let error = json!({ "type": kind, "message": refusal.text });
    wrap(refusal, &to_string(&json!({ "type": "error", "error": error, "request_id": request_id })))
}
