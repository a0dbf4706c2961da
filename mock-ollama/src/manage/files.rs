//! `/api/copy`, `/api/delete` and `/api/blobs` (`server/routes.go`).

use super::request::{COPY, CopyRequest, NameRequest, read};
use crate::generation::Refusal;
use crate::go_json::fmt::quote;
use crate::http::Reply;
use crate::models::{ModelName, Store, sha256};

/// Answers `/api/copy` and copies; `modified_at` is RFC 3339.
///
/// # Errors
/// The refusal of a request that names no two models (`server/routes.go`, `CopyHandler`).
pub fn copy(store: &mut Store, body: &[u8], modified_at: &str) -> Result<Reply, Refusal> {
    let CopyRequest { source, destination } = read(body, &COPY)?;
    let name = |field: &str, text: &str| {
        let invalid = || Refusal::by_handler(400, format!("{field} {} is invalid", quote(text)));
        ModelName::parse(text).ok_or_else(invalid)
    };
    let (from, to) = (name("source", &source)?, name("destination", &destination)?);
    Ok(if store.copy(&from, &to, modified_at) {
        Reply::empty(200)
    } else {
        Reply::error(404, &format!("model {} not found", quote(&source)))
    })
}

/// Answers `/api/delete` and deletes.
///
/// # Errors
/// The refusal of a request that names no model (`server/routes.go`, `DeleteHandler`).
pub fn delete(store: &mut Store, body: &[u8]) -> Result<Reply, Refusal> {
    let NameRequest { model, name, .. } = NameRequest::delete(body)?;
    let invalid = || Refusal::by_handler(400, format!("name {} is invalid", quote(&model)));
    let is_deleted = store.delete(&name.ok_or_else(invalid)?);
    Ok(if is_deleted { Reply::empty(200) } else { Reply::error(404, &format!("model '{model}' not found")) })
}

/// Answers `HEAD /api/blobs/:digest`; the body of an error is only counted.
pub fn blob_head(store: &Store, digest: &str) -> Reply {
    match canonical(digest) {
        None => bad_digest(),
        Some(known) if store.has_blob(&known) => Reply::empty(200),
        Some(_) => Reply::error(404, &format!("blob {} not found", quote(digest))),
    }
}

/// Answers `POST /api/blobs/:digest` and keeps the length of the file.
pub fn blob_put(store: &mut Store, digest: &str, body: &[u8]) -> Reply {
    let Some(expected) = canonical(digest) else { return bad_digest() };
    if store.has_blob(&expected) {
        return Reply::empty(200);
    }
    let got = sha256(body);
    if got != expected {
        return Reply::error(400, &format!("digest mismatch, expected {}, got {}", quote(digest), quote(&got)));
    }
    store.put_blob(&got, body.len() as u64);
    Reply::empty(201)
}

fn bad_digest() -> Reply {
    Reply::error(400, "invalid digest format")
}

/// `sha256:` and 64 digits in lower case; a dash may stand for the colon. `None` for what is no digest.
pub(super) fn canonical(digest: &str) -> Option<String> {
    let digits = digest.strip_prefix("sha256:").or_else(|| digest.strip_prefix("sha256-"))?;
    let valid = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    valid.then(|| format!("sha256:{}", digits.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::{blob_head, blob_put, copy, delete};
    use crate::generation::Refusal;
    use crate::http::Reply;
    use crate::models::{Card, ModelName, Store, sha256};

    const NOW: &str = "2026-08-01T10:00:00Z";

    fn store() -> Store {
        Store::new([Card::named(ModelName::parse("llama").unwrap())])
    }

    fn refused(refusal: &Refusal) -> Reply {
        Reply::error(refusal.status, &refusal.text)
    }

    fn text(reply: &Reply) -> (u16, &str) {
        (reply.status, std::str::from_utf8(&reply.body).unwrap())
    }

    #[rstest]
    #[case("llama", "copied", 200, "")]
    #[case("nope", "copied", 404, r#"{"error":"model \"nope\" not found"}"#)]
    #[case("llama", "bad name!", 400, r#"{"error":"destination \"bad name!\" is invalid"}"#)]
    #[case("", "copied", 400, r#"{"error":"source \"\" is invalid"}"#)]
    fn w_083_a_copy_answers(#[case] from: &str, #[case] to: &str, #[case] status: u16, #[case] body: &str) {
        let ask = json!({ "source": from, "destination": to }).to_string();
        let reply = copy(&mut store(), ask.as_bytes(), NOW).unwrap_or_else(|refusal| refused(&refusal));
        assert_eq!(text(&reply), (status, body));
    }

    #[rstest]
    #[case("library/LLAMA", 200, "")]
    #[case("nope", 404, r#"{"error":"model 'nope' not found"}"#)]
    #[case("", 400, r#"{"error":"model is required"}"#)]
    #[case("bad name!", 400, r#"{"error":"name \"bad name!\" is invalid"}"#)]
    fn w_083_a_deletion_answers(#[case] model: &str, #[case] status: u16, #[case] body: &str) {
        let reply = delete(&mut store(), json!({ "model": model }).to_string().as_bytes())
            .unwrap_or_else(|refusal| refused(&refusal));
        assert_eq!(text(&reply), (status, body));
    }

    #[test]
    fn w_084_a_file_is_created_once_and_then_found_in_either_form() {
        let mut store = store();
        let digest = sha256(b"hello");
        let dashed = digest.replace(':', "-");
        // W-085
        let missing = format!("{{\"error\":\"blob \\\"{digest}\\\" not found\"}}");
        assert_eq!(text(&blob_head(&store, &digest)), (404, missing.as_str()));
        assert_eq!(text(&blob_put(&mut store, &dashed, b"hello")), (201, ""));
        assert_eq!(text(&blob_put(&mut store, &digest, b"hello")), (200, ""));
        assert_eq!(blob_head(&store, &dashed), Reply::empty(200));
    }

    #[test]
    fn w_084_a_file_of_another_digest_is_refused() {
        let (wrong, right) = (sha256(b"other"), sha256(b"hello"));
        let reply = blob_put(&mut store(), &wrong, b"hello");
        let expected = format!("{{\"error\":\"digest mismatch, expected \\\"{wrong}\\\", got \\\"{right}\\\"\"}}");
        assert_eq!(text(&reply), (400, expected.as_str()));
    }

    #[rstest]
    #[case("sha256:zz")]
    #[case("md5:00")]
    #[case("")]
    fn a_digest_of_another_form_is_refused(#[case] digest: &str) {
        let expected = (400, r#"{"error":"invalid digest format"}"#);
        assert_eq!(text(&blob_head(&store(), digest)), expected);
        assert_eq!(text(&blob_put(&mut store(), digest, b"")), expected);
    }
}
