//! Errors of every route of `OpenAI` (`openai/openai.go`).

use serde_json::json;

use crate::dialect::refuse::wrap;
use crate::generation::Refusal;
use crate::go_json::to_string;
use crate::http::Reply;

/// Returns the response to a refused request (`openai.NewError`).
pub fn refuse(refusal: &Refusal) -> Reply {
    let kind = match refusal.status {
        400 => "invalid_request_error",
        404 => "not_found_error",
        _ => "api_error",
    };
    let error = json!({ "message": refusal.text, "type": kind, "param": null, "code": null });
    wrap(refusal, &to_string(&json!({ "error": error })))
}
