//! The objects of `/v1/messages`, as they are read and written (Ollama `anthropic/anthropic.go`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::dialect::recorded::values::{ErrorText, TokenCounts};
use crate::go_json::to_string;

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Event {
    /// A message without content begins.
    MessageStart { message: Message },
    /// A block begins.
    ContentBlockStart { index: Option<u64>, content_block: Block },
    /// More of the block.
    ContentBlockDelta { index: Option<u64>, delta: Delta },
    /// The block is complete.
    ContentBlockStop { index: Option<u64> },
    /// How the message ends, and what was counted.
    MessageDelta { delta: Stop, usage: Option<TokenCounts> },
    /// The message is complete.
    MessageStop,
    /// Other servers send it; Ollama never does.
    Error { error: ErrorText },
    #[serde(other)]
    Other,
}

/// A message; the whole answer, or the beginning of one.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Message {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) role: String,
    pub(super) model: String,
    /// `null` where nothing was generated.
    pub(super) content: Option<Vec<Block>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_reason: Option<String>,
    pub(super) usage: Option<TokenCounts>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block {
    /// Thinking, whole or none of it yet.
    Thinking {
        #[serde(default)]
        thinking: String,
    },
    /// Text, whole or none of it yet.
    Text {
        #[serde(default)]
        text: String,
    },
    /// A call of a client's tool.
    ToolUse {
        id: Option<String>,
        name: String,
        #[serde(default)]
        input: Map<String, Value>,
    },
    #[serde(skip_deserializing)]
    ServerToolUse { id: String, name: String, input: Value },
    #[serde(skip_deserializing)]
    WebSearchToolResult { tool_use_id: String, content: Value },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "type")]
pub(super) enum Delta {
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Stop {
    pub(super) stop_reason: Option<String>,
}

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop => "message_stop",
            Self::Error { .. } | Self::Other => "error",
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        format!("event: {}\ndata: {}\n\n", self.name(), to_string(self)).into_bytes()
    }
}
