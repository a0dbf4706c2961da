//! A journal as a text for snapshots.

use std::fmt::Write as _;

use serde_json::Value;

use super::answered::AnswerContent;
use super::asked::{Asked, tool_of};
use super::{how_it_ended, who_answered, why_unexpected};
use crate::journal::{Entry, Journal};

impl Journal {
    /// Returns what was asked and what was answered, request by request: the same text for the same conversation. No times, ports,
    /// ids or numbers of bytes are in it, and no credentials. Requests stand in the order in which they came.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::{Read as _, Write as _};
    /// let server = mock_ollama::MockOllama::builder().says("m", ["Hel", "lo"]).pace(mock_ollama::Pace::instant()).start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// let body = r#"{"model":"m","prompt":"Say hello"}"#;
    /// write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    /// # client.read_to_end(&mut Vec::new())?;
    /// let transcript = server.finish()?.transcript();
    /// assert!(transcript.contains("user: Say hello\n") && transcript.contains("text: Hello\n"), "{transcript}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn transcript(&self) -> String {
        let mut out = String::new();
        for (entry, number) in self.iter().zip(self.forgotten.requests + 1..) {
            if !out.is_empty() {
                out.push('\n');
            }
            // Writing to a string cannot fail.
            let _ = write_entry(&mut out, entry, number);
        }
        out
    }
}

fn write_entry(out: &mut String, entry: &Entry, number: usize) -> std::fmt::Result {
    let (asked, request) = (Asked::of(entry), &entry.request);
    let what = if request.method.is_empty() {
        "(no request)".to_owned()
    } else {
        format!("{} {}", request.method, request.target)
    };
    writeln!(out, "{}", format!("{number}. {what} {}", asked.model()).trim_end())?;
    let mut line = |name: &str, text: &str| {
        let text = entry.secrets.concealed(text);
        // What follows a line end stands deeper than any name.
        writeln!(out, "   {name}{}", text.trim_end().replace('\n', "\n      "))
    };
    let tools = asked.tools();
    if !tools.is_empty() {
        line("tools: ", &tools.join(", "))?;
    }
    let messages = asked.messages();
    for message in &messages {
        write_message(message, &messages, &mut line)?;
    }
    line("-> ", &format!("{} {}, {}", entry.status, who_answered(&entry.answer), how_it_ended(entry.fate)))?;
    let AnswerContent { text, thinking, calls, error, unreadable } = AnswerContent::of(entry);
    let is_told = |why: &&str| error.as_ref().is_some_and(|error| error.contains(why));
    if let Some(why) = why_unexpected(&entry.answer).filter(|why| !is_told(why)) {
        line("why: ", why)?;
    }
    for (name, text) in [("thinking: ", Some(thinking)), ("text: ", Some(text))] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            line(name, &text)?;
        }
    }
    for call in calls {
        line("call: ", &format!("{} {}", call.name, call.arguments))?;
    }
    for (name, text) in [("error: ", error), ("not read: ", unreadable)] {
        if let Some(text) = text {
            line(name, &text)?;
        }
    }
    Ok(())
}

/// Writes a message; of a tool's result the tool, of images their number.
fn write_message(
    message: &Value,
    messages: &[Value],
    line: &mut impl FnMut(&str, &str) -> std::fmt::Result,
) -> std::fmt::Result {
    let text = message["content"].as_str().unwrap_or_default();
    let role = message["role"].as_str().unwrap_or_default();
    if role == "tool" {
        line("", &format!("result of {}: {text}", tool_of(message, messages)))?;
    } else if !text.is_empty() {
        line("", &format!("{role}: {text}"))?;
    }
    if let Some(images) = message["images"].as_array().filter(|images| !images.is_empty()) {
        line("", &format!("{role}: {} images", images.len()))?;
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let function = &call["function"];
        line(
            "",
            &format!("{role} calls: {} {}", function["name"].as_str().unwrap_or_default(), function["arguments"]),
        )?;
    }
    Ok(())
}
