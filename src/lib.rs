//! Runs multi-agent LLM-streaming workloads on async runtime variants against a replayed Ollama server.

pub mod measure;
pub mod report;
pub mod transcript;
pub mod workload;
