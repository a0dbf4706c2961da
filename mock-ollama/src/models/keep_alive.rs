//! How long a model stays loaded after an answer (`api/types.go`, `Duration`).

use std::time::Duration;

/// How long a model stays loaded after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// For so long; zero unloads it when the answer ends.
    For(Duration),
    /// For ever: a negative number or duration.
    Forever,
}

impl KeepAlive {
    /// What holds until a request says otherwise (`OLLAMA_KEEP_ALIVE`).
    pub const DEFAULT: Self = Self::For(Duration::from_secs(5 * 60));

    /// Whether the model is to be unloaded at once.
    pub const fn is_zero(self) -> bool {
        matches!(self, Self::For(time) if time.is_zero())
    }
}
