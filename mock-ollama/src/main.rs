//! The command line of mock-ollama.

fn main() {}
