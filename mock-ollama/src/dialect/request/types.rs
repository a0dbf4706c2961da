//! The request structs of Ollama as tables (`api/types.go`, `openai/openai.go`, `openai/responses.go`,
//! `anthropic/anthropic.go`).

use serde_json::Value;

use super::go_decode::Field as F;
use super::go_decode::Kind::{
    self, Alias, Any, Bool, Custom, Float, Image, Int, List, Map, Raw, Struct, Text, TextMap,
};
use super::go_decode::Schema;
use super::keep_alive;

const KEEP_ALIVE: Kind = Custom(keep_alive::check);
const TEXTS: Kind = List("[]string", &Text);

const FUNCTION: &[F] = &[F("index", Int), F("name", Text), F("arguments", Custom(arguments))];
const TOOL_CALL: Kind =
    Struct("api.ToolCall", &[F("id", Text), F("function", Struct("api.ToolCallFunction", FUNCTION))]);

const MESSAGE: Kind = Alias(
    "api.Message",
    &[
        F("role", Text),
        F("content", Text),
        F("thinking", Text),
        F("images", List("[]api.ImageData", &Image)),
        F("tool_calls", List("[]api.ToolCall", &TOOL_CALL)),
        F("tool_name", Text),
        F("tool_call_id", Text),
    ],
);

const TOOL_FUNCTION: &[F] = &[F("name", Text), F("description", Text), F("parameters", Raw)];
const TOOL: Kind =
    Struct("api.Tool", &[F("type", Text), F("items", Any), F("function", Struct("api.ToolFunction", TOOL_FUNCTION))]);
const TOOLS: Kind = List("api.Tools", &TOOL);

pub(super) const GENERATE: Schema = Schema {
    package: "api",
    name: "GenerateRequest",
    fields: &[
        F("model", Text),
        F("prompt", Text),
        F("suffix", Text),
        F("system", Text),
        F("template", Text),
        F("context", List("[]int", &Int)),
        F("stream", Bool),
        F("raw", Bool),
        F("format", Raw),
        F("keep_alive", KEEP_ALIVE),
        F("images", List("[]api.ImageData", &Image)),
        F("options", Map),
        F("think", Custom(think)),
        F("truncate", Bool),
        F("shift", Bool),
        F("_debug_render_only", Bool),
        F("logprobs", Bool),
        F("top_logprobs", Int),
    ],
};

pub(super) const CHAT: Schema = Schema {
    package: "api",
    name: "ChatRequest",
    fields: &[
        F("model", Text),
        F("messages", List("[]api.Message", &MESSAGE)),
        F("stream", Bool),
        F("format", Raw),
        F("keep_alive", KEEP_ALIVE),
        F("tools", TOOLS),
        F("options", Map),
        F("think", Custom(think)),
        F("truncate", Bool),
        F("shift", Bool),
        F("_debug_render_only", Bool),
        F("logprobs", Bool),
        F("top_logprobs", Int),
    ],
};

pub(super) const EMBED: Schema = Schema {
    package: "api",
    name: "EmbedRequest",
    fields: &[
        F("model", Text),
        F("input", Any),
        F("keep_alive", KEEP_ALIVE),
        F("truncate", Bool),
        F("dimensions", Int),
        F("options", Map),
    ],
};

pub(super) const EMBEDDINGS: Schema = Schema {
    package: "api",
    name: "EmbeddingRequest",
    fields: &[F("model", Text), F("prompt", Text), F("keep_alive", KEEP_ALIVE), F("options", Map)],
};

pub(super) const SHOW: Schema = Schema {
    package: "api",
    name: "ShowRequest",
    fields: &[
        F("model", Text),
        F("name", Text),
        F("system", Text),
        F("template", Text),
        F("verbose", Bool),
        F("options", Map),
    ],
};

const NAMED: &[F] = &[
    F("model", Text),
    F("name", Text),
    F("insecure", Bool),
    F("username", Text),
    F("password", Text),
    F("stream", Bool),
];

pub(super) const PULL: Schema = Schema { package: "api", name: "PullRequest", fields: NAMED };
pub(super) const PUSH: Schema = Schema { package: "api", name: "PushRequest", fields: NAMED };
pub(super) const DELETE: Schema =
    Schema { package: "api", name: "DeleteRequest", fields: &[F("model", Text), F("name", Text)] };
pub(super) const COPY: Schema =
    Schema { package: "api", name: "CopyRequest", fields: &[F("source", Text), F("destination", Text)] };

pub(super) const CREATE: Schema = Schema {
    package: "api",
    name: "CreateRequest",
    fields: &[
        F("model", Text),
        F("name", Text),
        F("stream", Bool),
        F("quantize", Text),
        F("quantization", Text),
        F("from", Text),
        F("remote_host", Text),
        F("files", TextMap),
        F("adapters", TextMap),
        F("draft_files", TextMap),
        F("draft_quantize", Text),
        F("template", Text),
        F("license", Any),
        F("system", Text),
        F("parameters", Map),
        F("messages", List("[]api.Message", &MESSAGE)),
        F("renderer", Text),
        F("parser", Text),
        F("requires", Text),
        F("info", Map),
    ],
};

const STREAM_OPTIONS: Kind = Struct("openai.StreamOptions", &[F("include_usage", Bool)]);
const OPENAI_FUNCTION: Kind = Struct("", &[F("name", Text), F("arguments", Text)]);
const OPENAI_CALL: Kind =
    Struct("openai.ToolCall", &[F("id", Text), F("index", Int), F("type", Text), F("function", OPENAI_FUNCTION)]);
const OPENAI_MESSAGE: Kind = Struct(
    "openai.Message",
    &[
        F("role", Text),
        F("content", Any),
        F("reasoning", Text),
        F("tool_calls", List("[]openai.ToolCall", &OPENAI_CALL)),
        F("name", Text),
        F("tool_call_id", Text),
    ],
);
const JSON_SCHEMA: Kind = Struct("openai.JsonSchema", &[F("schema", Raw)]);

pub(super) const OPENAI_CHAT: Schema = Schema {
    package: "openai",
    name: "ChatCompletionRequest",
    fields: &[
        F("model", Text),
        F("messages", List("[]openai.Message", &OPENAI_MESSAGE)),
        F("stream", Bool),
        F("stream_options", STREAM_OPTIONS),
        F("max_tokens", Int),
        F("seed", Int),
        F("stop", Any),
        F("temperature", Float("float64")),
        F("frequency_penalty", Float("float64")),
        F("presence_penalty", Float("float64")),
        F("top_p", Float("float64")),
        F("response_format", Struct("openai.ResponseFormat", &[F("type", Text), F("json_schema", JSON_SCHEMA)])),
        F("tools", List("[]api.Tool", &TOOL)),
        F("reasoning", Struct("openai.Reasoning", &[F("effort", Text)])),
        F("reasoning_effort", Text),
        F("logprobs", Bool),
        F("top_logprobs", Int),
        F("_debug_render_only", Bool),
    ],
};

pub(super) const OPENAI_COMPLETION: Schema = Schema {
    package: "openai",
    name: "CompletionRequest",
    fields: &[
        F("model", Text),
        F("prompt", Text),
        F("frequency_penalty", Float("float32")),
        F("max_tokens", Int),
        F("presence_penalty", Float("float32")),
        F("seed", Int),
        F("stop", Any),
        F("stream", Bool),
        F("stream_options", STREAM_OPTIONS),
        F("temperature", Float("float32")),
        F("top_p", Float("float32")),
        F("suffix", Text),
        F("logprobs", Int),
        F("_debug_render_only", Bool),
    ],
};

pub(super) const OPENAI_EMBED: Schema = Schema {
    package: "openai",
    name: "EmbedRequest",
    fields: &[F("input", Any), F("model", Text), F("dimensions", Int), F("encoding_format", Text)],
};

const RESPONSES_TOOL: Kind = Struct(
    "openai.ResponsesTool",
    &[F("type", Text), F("name", Text), F("description", Text), F("strict", Bool), F("parameters", Any)],
);
const RESPONSES_REASONING: &[F] = &[F("effort", Text), F("generate_summary", Text), F("summary", Text)];
const RESPONSES_FORMAT: &[F] = &[F("type", Text), F("name", Text), F("schema", Raw), F("strict", Bool)];

pub(super) const RESPONSES: Schema = Schema {
    package: "openai",
    name: "ResponsesRequest",
    fields: &[
        F("model", Text),
        F("background", Bool),
        F("conversation", Raw),
        F("include", TEXTS),
        F("input", Raw),
        F("instructions", Text),
        F("max_output_tokens", Int),
        F("reasoning", Struct("openai.ResponsesReasoning", RESPONSES_REASONING)),
        F("temperature", Float("float64")),
        F(
            "text",
            Struct("openai.ResponsesText", &[F("format", Struct("openai.ResponsesTextFormat", RESPONSES_FORMAT))]),
        ),
        F("tools", List("[]openai.ResponsesTool", &RESPONSES_TOOL)),
        F("top_p", Float("float64")),
        F("truncation", Text),
        F("stream", Bool),
    ],
};

const ANTHROPIC_MESSAGE: Kind = Struct("anthropic.MessageParam", &[F("role", Text), F("content", Any)]);
const ANTHROPIC_TOOL: Kind = Struct(
    "anthropic.Tool",
    &[F("type", Text), F("name", Text), F("description", Text), F("input_schema", Raw), F("max_uses", Int)],
);

pub(super) const MESSAGES: Schema = Schema {
    package: "anthropic",
    name: "MessagesRequest",
    fields: &[
        F("model", Text),
        F("max_tokens", Int),
        F("messages", List("[]anthropic.MessageParam", &ANTHROPIC_MESSAGE)),
        F("system", Any),
        F("stream", Bool),
        F("temperature", Float("float64")),
        F("top_p", Float("float64")),
        F("top_k", Int),
        F("stop_sequences", TEXTS),
        F("tools", List("[]anthropic.Tool", &ANTHROPIC_TOOL)),
        F("tool_choice", Struct("anthropic.ToolChoice", &[F("type", Text), F("name", Text)])),
        F("thinking", Struct("anthropic.ThinkingConfig", &[F("type", Text), F("budget_tokens", Int)])),
    ],
};

/// `ThinkValue.UnmarshalJSON`
fn think(value: &Value) -> Result<(), String> {
    match value {
        Value::Bool(_) => Ok(()),
        Value::String(level) if matches!(level.as_str(), "high" | "medium" | "low" | "max") => Ok(()),
        Value::String(level) => {
            Err(format!(r#"invalid think value: "{level}" (must be "high", "medium", "low", "max", true, or false)"#))
        }
        _ => Err(r#"think must be a boolean or string ("high", "medium", "low", "max", true, or false)"#.to_owned()),
    }
}

/// `ToolCallFunctionArguments.UnmarshalJSON`
fn arguments(value: &Value) -> Result<(), String> {
    match value {
        Value::Object(_) => Ok(()),
        _ => Err("Value looks like object, but can't find closing '}' symbol".to_owned()),
    }
}
