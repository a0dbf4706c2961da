use bytes::Bytes;

use super::{Fault, Sink};
use crate::files::Existing;
use crate::recording::limits::{MAX_CHUNKS, MAX_FILE_BYTES};
use crate::recording::{
    Chunk, End, Exchange, Method, Model, Origin, Recording, RecordingProblem, Request, RequestBody, Response,
    WriteError, check, read_file, to_string, write_file,
};

fn recording() -> Recording {
    Recording {
        name: "sample".to_owned(),
        origin: Origin::Recorded,
        description: Some("every kind of line".to_owned()),
        server: Some("ollama 0.33.0".to_owned()),
        model: Model { name: "m:latest".to_owned(), capabilities: vec!["completion".to_owned()], ..Model::default() },
        licence: Some("CC0-1.0".to_owned()),
        source: Some("a test".to_owned()),
        scrub: Vec::new(),
        exchanges: vec![
            Exchange {
                request: Some(Request {
                    method: Method::Post,
                    path: "/api/generate".to_owned(),
                    body: Some(RequestBody::Json(serde_json::json!({"model": "m", "prompt": "<é>"}))),
                }),
                sent_us: Some(12),
                response: Response {
                    status: 200,
                    headers: vec![("Content-Type".to_owned(), "application/x-ndjson".to_owned())],
                },
                chunks: vec![
                    Chunk { at_us: 182_400, bytes: Bytes::from_static("{\"response\":\"é\u{1b}\"}\n".as_bytes()) },
                    Chunk { at_us: 182_400, bytes: Bytes::from_static(b"\xC3") },
                ],
                end: End::ClientClosed,
            },
            Exchange {
                request: Some(Request {
                    method: Method::Post,
                    path: "/api/chat".to_owned(),
                    body: Some(RequestBody::Text("{\"model\" x}".to_owned())),
                }),
                sent_us: None,
                response: Response { status: 400, headers: vec![] },
                chunks: vec![],
                end: End::Clean,
            },
            Exchange {
                request: None,
                sent_us: Some(99),
                response: Response { status: 204, headers: vec![] },
                chunks: vec![],
                end: End::Eof,
            },
        ],
    }
}

#[test]
fn the_canonical_form_has_one_line_a_fact_in_a_fixed_order() {
    insta::assert_snapshot!(to_string(&recording()).unwrap());
}

#[test]
fn what_the_reader_would_reject_is_not_written() {
    let mut invalid = recording();
    invalid.exchanges[0].chunks[1].at_us = 1;
    let error = to_string(&invalid).unwrap_err();
    insta::assert_snapshot!(error, @r#"cannot write recording "sample": exchange 1: the offset 1 is before the offset 182400 of the previous chunk; offsets never decrease"#);
}

fn problem(change: impl FnOnce(&mut Recording)) -> RecordingProblem {
    let mut changed = recording();
    change(&mut changed);
    match check(&changed) {
        Err(WriteError::Invalid { problem, .. }) => *problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_writer_keeps_the_limits() {
    let chunk = Chunk { at_us: 0, bytes: Bytes::from_static(b"x") };
    assert_eq!(problem(|r| r.exchanges[2].chunks = vec![chunk; MAX_CHUNKS]), RecordingProblem::TooManyChunks);
    assert_eq!(problem(|r| r.exchanges.clear()), RecordingProblem::NoExchanges);
    let line = "a line";
    for (bytes, fits) in [(MAX_FILE_BYTES - 9, true), (MAX_FILE_BYTES - 8, false)] {
        // With its quotes and its newline the line has nine bytes.
        let put = Sink { writer: Vec::new(), line: Vec::new(), bytes }.put(&line);
        assert_eq!(!matches!(put, Err(Fault::Invalid(RecordingProblem::FileTooLarge))), fits);
    }
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.jsonl");
    let mut invalid = recording();
    invalid.exchanges[2].response.status = 100;
    assert!(write_file(&invalid, &path, Existing::Replace).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no part of it is left");
    write_file(&recording(), &path, Existing::Keep).unwrap();
    assert_eq!(read_file(&path).unwrap(), recording());
}

#[test]
fn an_existing_file_is_replaced_only_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.jsonl");
    std::fs::write(&path, "mine").unwrap();
    let error = write_file(&recording(), &path, Existing::Keep).unwrap_err();
    assert!(matches!(error, WriteError::Io(error) if error.kind() == std::io::ErrorKind::AlreadyExists));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    write_file(&recording(), &path, Existing::Replace).unwrap();
    assert_eq!(read_file(&path).unwrap(), recording());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}
