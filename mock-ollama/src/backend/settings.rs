//! The settings of a backend: by flags, by a workload file, by Ollama's environment variables.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::curve::Curve;
use super::loads::LoadLimits;

/// The settings of a backend. By default no request waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct Settings {
    /// Each stream's share of its solo speed.
    pub share: Curve,
    /// Requests that a model serves at once; unlimited when absent.
    pub parallel: Option<NonZeroUsize>,
    /// The limits of the queue of loads; no request waits for a load when absent.
    pub loads: Option<LoadLimits>,
}

/// The settings as files spell them; what is absent has its default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Form {
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<Curve>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel: Option<NonZeroUsize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_queue: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_loaded: Option<NonZeroUsize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load_ms: Option<u64>,
}

impl From<Form> for Settings {
    fn from(form: Form) -> Self {
        let load_time = form.load_ms.map(Duration::from_millis);
        let settings = Self { share: form.share.unwrap_or_default(), parallel: form.parallel, loads: None };
        settings.with_loads(form.max_queue, form.max_loaded, load_time)
    }
}

impl From<Settings> for Form {
    fn from(Settings { share, parallel, loads }: Settings) -> Self {
        Self {
            share: (share != Curve::Independent).then_some(share),
            parallel,
            max_queue: loads.map(|loads| loads.queue),
            max_loaded: loads.and_then(|loads| loads.loaded),
            load_ms: loads.and_then(|loads| u64::try_from(loads.load_time.as_millis()).ok()),
        }
    }
}

impl Settings {
    /// Returns the settings with these limits of the queue of loads. What is `None` stays as it was, or is the default.
    #[must_use]
    pub fn with_loads(
        mut self,
        queue: Option<usize>,
        loaded: Option<NonZeroUsize>,
        load_time: Option<Duration>,
    ) -> Self {
        if queue.is_some() || loaded.is_some() || load_time.is_some() {
            let loads = self.loads.get_or_insert_default();
            loads.queue = queue.unwrap_or(loads.queue);
            loads.loaded = loaded.or(loads.loaded);
            loads.load_time = load_time.unwrap_or(loads.load_time);
        }
        self
    }

    /// Returns the settings with those of Ollama's variables, where they are set: `OLLAMA_NUM_PARALLEL`, `OLLAMA_MAX_QUEUE`,
    /// `OLLAMA_MAX_LOADED_MODELS` (`envconfig/config.go`). Spaces and quotes around a value do not count, and a value that is
    /// no number is ignored.
    #[must_use]
    pub fn with_environment(mut self, get: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| -> Option<usize> { get(name)?.trim().trim_matches(['"', '\'']).parse().ok() };
        if let Some(parallel) = number("OLLAMA_NUM_PARALLEL") {
            // 0 acts as 1.
            self.parallel = NonZeroUsize::new(parallel.max(1));
        }
        // 0 leaves it to the device, and this one has room for all models.
        let loaded = number("OLLAMA_MAX_LOADED_MODELS").and_then(NonZeroUsize::new);
        self.with_loads(number("OLLAMA_MAX_QUEUE"), loaded, None)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let settings = Settings {
            share: "0.41".parse().unwrap(),
            parallel: NonZeroUsize::new(2),
            loads: Some(LoadLimits { queue: 7, loaded: NonZeroUsize::new(3), load_time: Duration::from_millis(1_500) }),
        };
        for settings in [settings, Settings::default()] {
            let text = toml::to_string(&settings).unwrap();
            assert_eq!(toml::from_str::<Settings>(&text).unwrap(), settings, "{text}");
        }
        assert_eq!(toml::to_string(&Settings::default()).unwrap(), "");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(toml::from_str::<Settings>("slots = 1").is_err());
    }

    #[rstest]
    #[case(" '4' ", Some(4))]
    #[case("0", Some(1))]
    #[case("many", None)]
    #[case("", None)]
    fn parallel_requests_are_read_as_ollama_reads_them(#[case] value: &str, #[case] parallel: Option<usize>) {
        let get = |name: &str| (name == "OLLAMA_NUM_PARALLEL").then(|| value.to_owned());
        assert_eq!(Settings::default().with_environment(get).parallel.map(NonZeroUsize::get), parallel);
    }

    #[test]
    fn the_queue_and_the_number_of_models_come_from_the_environment_too() {
        let get = |name: &str| match name {
            "OLLAMA_MAX_QUEUE" => Some("3".to_owned()),
            "OLLAMA_MAX_LOADED_MODELS" => Some("2".to_owned()),
            _ => None,
        };
        let found = Settings::default().with_environment(get).loads.unwrap();
        assert_eq!((found.queue, found.loaded), (3, NonZeroUsize::new(2)));
    }
}
