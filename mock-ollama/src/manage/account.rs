//! The account and the cloud: there is neither, and a server whose cloud is disabled says so (`server/routes.go`).

use crate::generation::Refusal;
use crate::http::{JSON, Reply};

const DISABLED: &str = "ollama cloud is disabled";

/// Answers `/api/me`, for which the real server asks a server that cannot be reached here.
pub fn me() -> Reply {
    Reply::error(503, "account unavailable")
}

/// Answers `/api/signout` and its older form, for which the real server asks the same server.
pub fn signout() -> Reply {
    Reply::error(500, "there was an error signing out")
}

/// Answers `/api/experimental/web_search`.
pub fn web_search(body: &[u8]) -> Reply {
    web(body, "web search")
}

/// Answers `/api/experimental/web_fetch`.
pub fn web_fetch(body: &[u8]) -> Reply {
    web(body, "web fetch")
}

fn web(body: &[u8], what: &str) -> Reply {
    if body.trim_ascii().is_empty() {
        return Reply::error(400, "missing request body");
    }
    Reply::error(403, &format!("{DISABLED}: {what} is unavailable"))
}

/// Answers `/api/experimental/model-recommendations`: there are none.
pub fn recommendations() -> Reply {
    Reply::new(200, JSON, r#"{"recommendations":[]}"#)
}

/// Refuses a transcription, since no model here listens. An unknown model or none is refused as such first.
///
/// The real server hands the sound to the model's runner and does not check; the text is that of a model
/// that lacks another ability.
pub fn transcriptions(model: &str, is_installed: bool) -> Refusal {
    match model {
        "" => Refusal::by_handler(400, "model is required"),
        model if !is_installed => Refusal::by_handler(404, format!("model '{model}' not found")),
        model => Refusal::by_handler(400, format!("\"{model}\" does not support audio")),
    }
}

#[cfg(test)]
mod tests {
    use super::{me, recommendations, signout, transcriptions, web_fetch, web_search};
    use crate::http::Reply;

    fn text(reply: &Reply) -> (u16, &str) {
        (reply.status, std::str::from_utf8(&reply.body).unwrap())
    }

    #[test]
    fn the_machine_that_knows_accounts_cannot_be_reached() {
        assert_eq!(text(&me()), (503, r#"{"error":"account unavailable"}"#));
        assert_eq!(text(&signout()), (500, r#"{"error":"there was an error signing out"}"#));
    }

    #[test]
    fn the_web_is_out_of_reach() {
        let expected = (403, r#"{"error":"ollama cloud is disabled: web search is unavailable"}"#);
        assert_eq!(text(&web_search(b"{}")), expected);
        assert_eq!(text(&web_fetch(b" \n")), (400, r#"{"error":"missing request body"}"#));
    }

    #[test]
    fn nothing_is_recommended() {
        assert_eq!(text(&recommendations()), (200, r#"{"recommendations":[]}"#));
    }

    #[test]
    fn no_model_listens() {
        let said = |model, installed| (transcriptions(model, installed).status, transcriptions(model, installed).text);
        assert_eq!(said("", false), (400, "model is required".to_owned()));
        assert_eq!(said("x", false), (404, "model 'x' not found".to_owned()));
        assert_eq!(said("x", true), (400, "\"x\" does not support audio".to_owned()));
    }
}
