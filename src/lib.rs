//! Runs multi-agent LLM-streaming workloads on async runtime variants against a replayed Ollama server.

pub mod chunking;
pub mod clients;
#[cfg(feature = "controls")]
pub mod controls;
pub mod measure;
pub mod ndjson;
pub mod report;
pub mod run;
pub mod runtimes;
pub mod transcript;
pub mod variant;
pub mod workload;
