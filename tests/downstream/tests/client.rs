//! What a test author writes, with the default features and nothing beside.

use std::error::Error;

use downstream::ask;
use mock_ollama::{Matching, MockOllama, Pace};

const QUESTION: &str = r#"{"model":"llama3.2","prompt":"hello"}"#;

type Tested = Result<(), Box<dyn Error>>;

fn says(pieces: [&str; 2]) -> Result<MockOllama, Box<dyn Error>> {
    Ok(MockOllama::builder().says("llama3.2", pieces).pace(Pace::instant()).start()?)
}

#[test]
fn a_stated_answer_is_streamed_piece_by_piece() -> Tested {
    let server = says(["Hello", " world"])?;
    let (_, body) = ask(server.addr(), "/api/generate", QUESTION)?;
    let pieces: Vec<bool> = body.lines().map(|line| line.contains(r#""done":false"#)).collect();
    assert_eq!(pieces, [true, true, false]);
    server.finish()?;
    Ok(())
}

#[test]
fn the_same_answer_speaks_the_dialect_of_openai() -> Tested {
    let server = says(["Hello", " world"])?;
    let question = r#"{"model":"llama3.2","messages":[{"role":"user","content":"hello"}]}"#;
    let (_, body) = ask(server.addr(), "/v1/chat/completions", question)?;
    assert!(body.contains(r#""content":"Hello world""#), "{body}");
    server.finish()?;
    Ok(())
}

#[test]
fn a_built_in_recording_is_replayed_chunk_by_chunk() -> Tested {
    let server = MockOllama::builder().builtin("tiny-emoji").matching(Matching::Any).pace(Pace::instant()).start()?;
    ask(server.addr(), "/api/generate", QUESTION)?;
    assert_eq!(server.finish()?.entries[0].chunks.len(), 10);
    Ok(())
}

#[test]
fn a_question_for_an_unknown_model_fails_the_test() -> Tested {
    let server = says(["Hello", " world"])?;
    let (head, _) = ask(server.addr(), "/api/generate", r#"{"model":"other","prompt":"hello"}"#)?;
    assert!(head.starts_with("HTTP/1.0 404"), "{head}");
    assert!(server.finish().is_err());
    Ok(())
}

#[test]
fn the_journal_has_the_question_as_it_was_sent() -> Tested {
    let server = says(["Hello", " world"])?;
    ask(server.addr(), "/api/generate", QUESTION)?;
    assert_eq!(server.finish()?.entries[0].request.body, QUESTION);
    Ok(())
}
