//! The table of what is asserted about dependency trees, and the judgement.

use super::parse::Tree;

/// One assertion about the tree of one build.
pub(crate) struct TreeRule {
    /// The assertion as a sentence.
    pub(crate) name: &'static str,
    /// The package whose tree it is.
    pub(crate) package: &'static str,
    /// The flags that choose the build.
    pub(crate) build: &'static [&'static str],
    /// Packages without which this is not the tree that was meant, so that the rule cannot hold for want of a tree.
    pub(crate) present: &'static [&'static str],
    /// Packages that must not be there.
    pub(crate) absent: &'static [&'static str],
    /// The most crates, itself included.
    pub(crate) max_crates: usize,
}

/// What makes tokio a runtime, which none of these builds may have. tokio itself may be there: the one limiter type is its
/// semaphore.
const TOKIO_RUNTIME: &[&str] = &["full", "rt", "rt-multi-thread", "net", "time"];

/// Async runtimes, and the executors and reactors that they are made of.
const RUNTIMES: &[&str] = &[
    "async-executor",
    "async-global-executor",
    "async-io",
    "async-std",
    "compio",
    "embassy-executor",
    "futures-executor",
    "glommio",
    "monoio",
    "pollster",
    "smol",
    "tokio",
];

/// What a test author builds for `cargo add --dev mock-ollama`.
const MAX_CRATES_OF_MOCK: usize = 55;

/// A build with one runtime that is not tokio.
const fn one_runtime(
    name: &'static str,
    build: &'static [&'static str],
    present: &'static [&'static str],
    absent: &'static [&'static str],
) -> TreeRule {
    TreeRule { name, package: "runtime-lab", build, present, absent, max_crates: usize::MAX }
}

/// The assertions.
pub(crate) const RULES: &[TreeRule] = &[
    one_runtime(
        "a build with runtime-smol alone has no tokio runtime",
        &["--no-default-features", "--features", "runtime-smol"],
        &["runtime-lab", "mock-ollama", "smol", "hyper"],
        &["async-compat", "async-std", "reqwest"],
    ),
    one_runtime(
        "a build with runtime-smol-1kb alone has no tokio runtime",
        &["--no-default-features", "--features", "runtime-smol-1kb"],
        &["runtime-lab", "mock-ollama", "smol", "hyper"],
        &["async-compat", "async-std", "reqwest"],
    ),
    one_runtime(
        "a build with runtime-async-std alone has no tokio runtime",
        &["--no-default-features", "--features", "runtime-async-std"],
        &["runtime-lab", "mock-ollama", "async-std", "hyper"],
        &["async-compat", "reqwest", "smol"],
    ),
    TreeRule {
        name: "mock-ollama has no async runtime",
        package: "mock-ollama",
        build: &["--all-features"],
        present: &["mock-ollama", "httparse"],
        absent: RUNTIMES,
        max_crates: usize::MAX,
    },
    TreeRule {
        name: "the default build of mock-ollama is small",
        package: "mock-ollama",
        build: &[],
        present: &["mock-ollama", "serde_json"],
        absent: &["clap", "ctrlc", "flate2", "httparse", "saphyr-parser", "tempfile"],
        max_crates: MAX_CRATES_OF_MOCK,
    },
];

impl TreeRule {
    /// What is wrong with `tree`, in the order of the rule; nothing when the rule holds.
    pub(crate) fn judge(&self, tree: &Tree) -> Vec<String> {
        let missing = self.present.iter().filter(|package| !tree.has(package));
        let unwanted = self.absent.iter().filter(|package| tree.has(package));
        let on = TOKIO_RUNTIME.iter().filter(|feature| tree.has_feature("tokio", feature));
        missing
            .map(|package| format!("`{package}` is missing: is this the tree that was meant?"))
            .chain(unwanted.map(|package| format!("`{package}` is in the tree")))
            .chain(
                (tree.crates() > self.max_crates)
                    .then(|| format!("it has {} crates, at most {}", tree.crates(), self.max_crates)),
            )
            .chain(on.map(|feature| format!("tokio's feature `{feature}` is on")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree of a build with `runtime-smol` alone, in short.
    const SMOL: &str = "\
runtime-lab v0.1.0
├── mock-ollama feature \"default\"
│   └── mock-ollama v0.1.0
├── hyper feature \"http1\"
│   └── hyper v1.12.0
│       ├── tokio feature \"default\"
│       │   └── tokio v1.54.1
│       └── tokio feature \"sync\"
├── smol feature \"default\"
│   └── smol v2.0.2
└── tokio feature \"sync\" (*)
";

    const MOCK: &str = "mock-ollama v0.1.0\n├── httparse v1.10.1\n└── mio v1.2.0\n";

    fn findings(name: &str, tree: &str) -> Vec<String> {
        let rule = RULES.iter().find(|rule| rule.name.contains(name)).expect("a rule of that name");
        rule.judge(&Tree::parse(tree))
    }

    #[test]
    fn a_semaphore_from_tokio_is_no_runtime() {
        assert_eq!(findings("runtime-smol alone", SMOL), Vec::<String>::new());
    }

    #[test]
    fn a_tokio_runtime_hidden_deep_in_the_tree_is_rejected() {
        for feature in TOKIO_RUNTIME {
            let tree = format!("{SMOL}    └── hyper-util v0.1.21\n        └── tokio feature \"{feature}\" (*)\n");
            assert_eq!(findings("runtime-smol alone", &tree), [format!("tokio's feature `{feature}` is on")]);
        }
    }

    #[test]
    fn an_executor_in_the_mock_is_rejected() {
        assert_eq!(findings("mock-ollama", MOCK), Vec::<String>::new());
        for runtime in RUNTIMES {
            let tree = format!("{MOCK}    └── {runtime} v1.0.0\n");
            assert_eq!(findings("mock-ollama", &tree), [format!("`{runtime}` is in the tree")]);
        }
    }

    #[test]
    fn one_crate_too_many_is_rejected() {
        let tree = |crates: usize| {
            let numbered = (2..crates).map(|number| format!("├── crate-{number} v1.0.0\n"));
            format!("mock-ollama v0.1.0\n└── serde_json v1.0.0\n{}", numbered.collect::<String>())
        };
        assert_eq!(findings("is small", &tree(MAX_CRATES_OF_MOCK)), Vec::<String>::new());
        assert_eq!(findings("is small", &tree(MAX_CRATES_OF_MOCK + 1)), ["it has 56 crates, at most 55"]);
    }

    #[test]
    fn no_tree_at_all_holds_no_rule() {
        for rule in RULES {
            assert!(!rule.judge(&Tree::default()).is_empty(), "{}", rule.name);
        }
    }
}
