//! The unmodified crate `ollama-rs`.

mod check;

use std::error::Error;
use std::process::ExitCode;

use ollama_rs::Ollama;
use ollama_rs::generation::chat::request::ChatMessageRequest;
use ollama_rs::generation::chat::{ChatMessage, ChatMessageResponse};
use ollama_rs::generation::completion::GenerationResponse;
use ollama_rs::generation::completion::request::GenerationRequest;
use ollama_rs::generation::embeddings::request::GenerateEmbeddingsRequest;
use ollama_rs::generation::tools::ToolInfo;
use serde_json::json;
use tokio_stream::StreamExt as _;

use check::Checks;

type Done = Result<(), Box<dyn Error>>;

fn chat(model: &str, text: &str) -> ChatMessageRequest {
    ChatMessageRequest::new(model.to_owned(), vec![ChatMessage::user(text.to_owned())])
}

fn generate(model: &str, text: &str) -> GenerationRequest<'static> {
    GenerationRequest::new(model.to_owned(), text.to_owned())
}

fn weather() -> Result<Vec<ToolInfo>, serde_json::Error> {
    let parameters = json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}});
    let function = json!({"name": "get_weather", "description": "d", "parameters": parameters});
    serde_json::from_value(json!([{"type": "function", "function": function}]))
}

async fn streamed(client: &Ollama, request: ChatMessageRequest) -> Result<Vec<ChatMessageResponse>, Box<dyn Error>> {
    let stream = client.send_chat_messages_stream(request).await?;
    stream.collect::<Result<Vec<_>, ()>>().await.map_err(|()| "the stream broke".into())
}

fn contents(parts: &[ChatMessageResponse]) -> Vec<&str> {
    parts.iter().map(|part| part.message.content.as_str()).collect()
}

async fn chats(client: &Ollama, checks: &mut Checks) -> Done {
    let parts = streamed(client, chat("llama", "hi")).await?;
    checks.same("chat, streamed", contents(&parts), ["Hel", "lo", " world", ""]);
    let last = parts.last().ok_or("no parts")?;
    // Only there if all six metrics are.
    let counts = last.final_data.as_ref().map(|data| (data.prompt_eval_count, data.eval_count));
    checks.same("chat, streamed: the end", (last.done, counts), (true, Some((11, 4))));
    let whole = client.send_chat_messages(chat("llama", "hi")).await?;
    checks.same("chat, whole", whole.message.content, "Hello world");
    let html = "<b>&\u{2028}\"q\\\t\n\u{1}\u{e9}\u{1f600}\u{7f}/";
    let parts = streamed(client, chat("llama", "HTML")).await?;
    checks.same("chat, streamed: characters", contents(&parts).concat(), html);
    let whole = client.send_chat_messages(chat("llama", "hi").logprobs(true).top_logprobs(1)).await?;
    checks.same("chat: logprobs", whole.logprobs.map(|entries| entries.len()), Some(3));
    Ok(())
}

async fn generations(client: &Ollama, checks: &mut Checks) -> Done {
    let stream = client.generate_stream(generate("llama", "hi")).await?;
    let parts: Vec<Vec<GenerationResponse>> = stream.collect::<Result<_, _>>().await?;
    // This crate reads each received piece by itself: what is split is lost without a word.
    let parts = parts.concat();
    let texts: Vec<&str> = parts.iter().map(|part| part.response.as_str()).collect();
    checks.same("generate, streamed", texts, ["Hel", "lo", " world", ""]);
    let last = parts.last().ok_or("no parts")?;
    checks.same(
        "generate, streamed: the end",
        (last.done, last.context.is_some(), last.eval_count),
        (true, true, Some(4)),
    );
    let whole = client.generate(generate("llama", "hi")).await?;
    checks.same("generate, whole", whole.response, "Hello world");
    let raw = client.generate(generate("llama", "hi").raw(true)).await?;
    checks.same("generate, raw: no context", raw.context.is_none(), true);
    Ok(())
}

async fn tools(client: &Ollama, checks: &mut Checks) -> Done {
    let parts = streamed(client, chat("llama", "TOOLCALL").tools(weather()?)).await?;
    let calls = parts.iter().flat_map(|part| &part.message.tool_calls);
    let calls: Vec<_> = calls.map(|call| (call.function.name.as_str(), call.function.arguments.clone())).collect();
    checks.same("tools, streamed", calls, [("get_weather", json!({"city": "Paris"}))]);
    let whole = client.send_chat_messages(chat("q3", "QTOOL").tools(weather()?)).await?.message;
    let calls: Vec<_> = whole.tool_calls.into_iter().map(|call| call.function.arguments).collect();
    checks.same("tools, whole", calls, [json!({"zeta": 1, "city": "Paris"}), json!({"city": "Rome"})]);
    Ok(())
}

async fn thinking(client: &Ollama, checks: &mut Checks) -> Done {
    let parts = streamed(client, chat("think", "THINKING").think(true)).await?;
    let thoughts: String = parts.iter().filter_map(|part| part.message.thinking.as_deref()).collect();
    checks.same(
        "thinking, streamed",
        (thoughts.as_str(), contents(&parts).concat().as_str()),
        ("let me see", "Answer"),
    );
    let whole = client.generate(generate("think", "THINKING")).await?;
    let found = (whole.thinking.as_deref(), whole.response.as_str());
    checks.same("thinking, whole", found, (Some("let me see"), "Answer"));
    Ok(())
}

async fn embeddings(client: &Ollama, checks: &mut Checks) -> Done {
    let request = GenerateEmbeddingsRequest::new("embedder".to_owned(), vec!["hi there", "a"].into());
    let lengths: Vec<usize> = client.generate_embeddings(request).await?.embeddings.iter().map(Vec::len).collect();
    checks.same("embed", lengths, [4, 4]);
    Ok(())
}

async fn models(client: &Ollama, checks: &mut Checks) -> Done {
    let listed = client.list_local_models().await?;
    checks.same("list", listed.iter().any(|model| model.name == "llama:latest" && model.size > 0), true);
    let shown = client.show_model_info("think".to_owned()).await?;
    let capable = |name: &str| shown.capabilities.iter().any(|capability| capability == name);
    checks.same("show", (capable("completion"), capable("thinking"), capable("tools")), (true, true, false));
    checks.same("show: facts", shown.model_info.get("general.architecture"), Some(&json!("llama")));
    client.copy_model("llama".to_owned(), "copied".to_owned()).await?;
    let copied = client.list_local_models().await?;
    checks.same("copy", copied.iter().any(|model| model.name == "copied:latest"), true);
    client.delete_model("copied".to_owned()).await?;
    let left = client.list_local_models().await?;
    checks.same("delete", left.iter().any(|model| model.name == "copied:latest"), false);
    Ok(())
}

async fn pull(client: &Ollama, checks: &mut Checks) -> Done {
    let stream = client.pull_model_stream("llama".to_owned(), false).await?;
    let parts: Vec<_> = stream.collect::<Result<_, _>>().await?;
    let ends = [parts.first(), parts.last()].map(|part| part.map(|part| part.message.as_str()));
    checks.same("pull, streamed", ends, [Some("pulling manifest"), Some("success")]);
    let whole = client.pull_model("llama".to_owned(), false).await?;
    checks.same("pull, whole", whole.message, "success");
    let stream = client.pull_model_stream("nope".to_owned(), false).await?;
    let error = stream.collect::<Result<Vec<_>, _>>().await.err().map(|error| error.to_string());
    let expected = "Internal Ollama error: pull model manifest: file does not exist";
    checks.same("pull of nothing", error.as_deref(), Some(expected));
    Ok(())
}

async fn errors(client: &Ollama, checks: &mut Checks) -> Done {
    let missing = client.send_chat_messages(chat("nope", "hi")).await.err().map(|error| error.to_string());
    checks.same("missing model", missing.as_deref(), Some(r#"{"error":"model 'nope' not found"}"#));
    let missing = client.generate_stream(generate("nope", "hi")).await.err().map(|error| error.to_string());
    checks.same("missing model, streamed", missing.as_deref(), Some(r#"{"error":"model 'nope' not found"}"#));
    let busy = client.send_chat_messages(chat("llama", "BUSY")).await.err().map(|error| error.to_string());
    let text = r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#;
    checks.same("busy", busy.as_deref(), Some(text));
    // This crate skips the line that tells the error, and says so on standard error.
    let parts = streamed(client, chat("llama", "ERRMID")).await?;
    checks.same("error in mid-stream: lost", contents(&parts), ["Hel", "lo"]);
    Ok(())
}

async fn cancel(client: &Ollama, checks: &mut Checks) -> Done {
    let mut stream = client.send_chat_messages_stream(chat("llama", "SLOW")).await?;
    let first = stream.next().await.and_then(Result::ok).ok_or("nothing came")?;
    drop(stream);
    checks.same("cancelled after a piece", (first.done, first.message.content.is_empty()), (false, false));
    let whole = client.generate(generate("llama", "hi")).await?;
    checks.same("an answer after it", whole.response, "Hello world");
    Ok(())
}

/// What the lock file says was built in.
fn version() -> &'static str {
    let package = include_str!("../Cargo.lock").split("[[package]]").find(|text| text.contains("name = \"ollama-rs\""));
    package.and_then(|text| text.split("version = \"").nth(1)?.split('"').next()).unwrap_or("of unknown version")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    // This crate does not read OLLAMA_HOST by itself.
    let client = Ollama::try_new(std::env::var("OLLAMA_HOST")?)?;
    let mut checks = Checks::default();
    let done = chats(&client, &mut checks).await;
    checks.part("chat", done);
    let done = generations(&client, &mut checks).await;
    checks.part("generate", done);
    let done = tools(&client, &mut checks).await;
    checks.part("tools", done);
    let done = thinking(&client, &mut checks).await;
    checks.part("thinking", done);
    let done = embeddings(&client, &mut checks).await;
    checks.part("embeddings", done);
    let done = models(&client, &mut checks).await;
    checks.part("models", done);
    let done = pull(&client, &mut checks).await;
    checks.part("pull", done);
    let done = errors(&client, &mut checks).await;
    checks.part("errors", done);
    let done = cancel(&client, &mut checks).await;
    checks.part("cancel", done);
    Ok(checks.finish(&format!("ollama-rs {}", version())))
}
