//! Why a workload cannot be modelled.

/// Why there is no model of a workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Chunks leave when a test releases them, and nobody does.
    #[error("under a stepped pace nothing happens by itself")]
    Stepped,
    /// Streams are known by the names of their agents.
    #[error("two agents are called `{name}`")]
    SameName {
        /// The name.
        name: String,
    },
    /// A request that no recording answers with its own bytes.
    #[error("no recording answers as it stands what agent `{agent}` sends to {path}: {body}")]
    Unanswered {
        /// The agent.
        agent: String,
        /// The path of its request.
        path: String,
        /// The body of its request.
        body: String,
    },
    /// Agents that wait for each other behind the server.
    #[error("the model knows no backend behind the server; leave [backend] out, or use `--clock virtual`")]
    Backend,
    /// More agents, chunks or lines than are counted here.
    #[error("there are more than {} of something", u32::MAX)]
    TooMany,
}
