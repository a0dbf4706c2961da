//! Recorded bodies, read into generations that any dialect can render, or folded into one answer.
//!
//! Bodies of old servers read too: the role in every delta, no separate finish chunk, calls without ids.
//! A fold keeps the bytes of values that were recorded: texts are joined inside their quotes, so that no escape is written
//! anew. Values that no dialect of Ollama has stay too, such as ids, signatures and several choices.
//!
//! | file | what |
//! | --- | --- |
//! | `body` | a body cut into the JSON values of its lines or events, each with its time |
//! | `object` | a JSON object whose values keep their bytes |
//! | `draft` | what has been read so far, and the rules that make a generation of it |
//! | `calls` | calls of tools, each in one object or in pieces |
//! | `values` | the values that several dialects share: errors, logprobs, token counts |

pub(crate) mod body;
pub(crate) mod calls;
pub(crate) mod draft;
pub(crate) mod object;
pub(crate) mod values;
