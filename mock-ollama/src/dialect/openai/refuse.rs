//! Errors of every route of `OpenAI` (`openai/openai.go`).

use serde::Serialize;

use crate::dialect::refuse::wrap;
use crate::generation::Refusal;
use crate::go_json::to_string;
use crate::http::Reply;

/// Returns the response to a refused request (`openai.NewError`).
pub fn refuse(refusal: &Refusal) -> Reply {
    #[derive(Serialize)]
    struct Outer<'a> {
        error: Inner<'a>,
    }
    #[derive(Serialize)]
    struct Inner<'a> {
        message: &'a str,
        #[serde(rename = "type")]
        kind: &'static str,
        param: (),
        code: (),
    }
    let kind = match refusal.status {
        400 => "invalid_request_error",
        404 => "not_found_error",
        _ => "api_error",
    };
    let error = Inner { message: &refusal.text, kind, param: (), code: () };
    wrap(refusal, &to_string(&Outer { error }))
}
