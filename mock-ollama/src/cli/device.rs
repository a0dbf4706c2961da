//! The modelled device behind a server, by flags and by Ollama's variables.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use mock_ollama::backend::{Curve, Settings};

/// The modelled device behind a server. By default no request waits for another.
#[derive(Args, Debug)]
pub(crate) struct DeviceArgs {
    /// Requests that a model serves at once; the others wait [default: `OLLAMA_NUM_PARALLEL`, else as many as come]
    #[arg(long, value_name = "N")]
    parallel: Option<NonZeroUsize>,
    /// Requests that may wait for a model to be loaded; more are refused as busy [default: `OLLAMA_MAX_QUEUE`, else 512]
    #[arg(long, value_name = "N")]
    max_queue: Option<usize>,
    /// Models that may be loaded at once [default: `OLLAMA_MAX_LOADED_MODELS`, else all]
    #[arg(long, value_name = "N")]
    max_loaded: Option<NonZeroUsize>,
    /// How long loading a model takes, in milliseconds
    #[arg(long, value_name = "N")]
    load_ms: Option<u64>,
    /// What share of its solo speed each of two, three, … streams has, by commas, such as 0.5 or 0.41,0.3
    #[arg(long, value_name = "CURVE", default_value = "independent")]
    share: Curve,
}

impl DeviceArgs {
    /// Returns the settings: by the flags, and where these are absent by the variables.
    pub(crate) fn settings(&self, variable: impl Fn(&str) -> Option<String>) -> Settings {
        let mut settings = Settings { share: self.share.clone(), ..Settings::default() }.with_environment(variable);
        settings.parallel = self.parallel.or(settings.parallel);
        settings.with_loads(self.max_queue, self.max_loaded, self.load_ms.map(Duration::from_millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_beats_the_variable() {
        let flags = |parallel| DeviceArgs {
            parallel: NonZeroUsize::new(parallel),
            max_queue: None,
            max_loaded: None,
            load_ms: None,
            share: Curve::Independent,
        };
        let variable = |name: &str| (name == "OLLAMA_NUM_PARALLEL").then(|| "2".to_owned());
        assert_eq!(flags(3).settings(variable).parallel, NonZeroUsize::new(3));
        assert_eq!(flags(0).settings(variable).parallel, NonZeroUsize::new(2));
    }
}
