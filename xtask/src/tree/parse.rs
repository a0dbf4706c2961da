//! The text of `cargo tree --edges normal,features` as data.

use std::collections::{BTreeMap, BTreeSet};

/// Every package of a dependency tree, with the features of it that are on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    packages: BTreeMap<String, BTreeSet<String>>,
    /// Names with versions: of a package in two versions, both are built.
    crates: BTreeSet<(String, String)>,
}

impl Tree {
    /// Reads what cargo prints. A line is a package, `tokio v1.54.1 (*)`, or a feature of one, `tokio feature "sync"`,
    /// after the lines of the drawing.
    pub(crate) fn parse(text: &str) -> Self {
        let mut tree = Self::default();
        for line in text.lines() {
            let mut words = line.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).split_whitespace();
            let (Some(package), Some(kind)) = (words.next(), words.next()) else { continue };
            if kind == "feature" {
                let feature = words.next().unwrap_or_default().trim_matches('"');
                tree.packages.entry(package.to_owned()).or_default().insert(feature.to_owned());
            } else if kind.starts_with('v') {
                tree.packages.entry(package.to_owned()).or_default();
                tree.crates.insert((package.to_owned(), kind.to_owned()));
            }
        }
        tree
    }

    /// Returns how many crates are built for it, itself included.
    pub(crate) fn crates(&self) -> usize {
        self.crates.len()
    }

    /// Whether `package` is in the tree.
    pub(crate) fn has(&self, package: &str) -> bool {
        self.packages.contains_key(package)
    }

    /// Whether `feature` of `package` is on.
    pub(crate) fn has_feature(&self, package: &str, feature: &str) -> bool {
        self.packages.get(package).is_some_and(|features| features.contains(feature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWN: &str = "\
runtime-lab v0.1.0 (/somewhere/runtime-lab)
├── async-std v1.13.2
│   └── async-std feature \"default\"
│       └── serde_derive v1.0.229 (proc-macro) (*)
└── tokio feature \"sync\" (*)
";

    #[test]
    fn packages_and_features_are_read_through_the_drawing() {
        let tree = Tree::parse(DRAWN);
        assert!(tree.has("runtime-lab") && tree.has("async-std") && tree.has("serde_derive"));
        assert!(tree.has_feature("tokio", "sync") && tree.has_feature("async-std", "default"));
    }

    #[test]
    fn a_crate_counts_once_and_each_of_its_versions_does() {
        assert_eq!(Tree::parse(DRAWN).crates(), 3);
        assert_eq!(Tree::parse("a v1.0.0\n├── b v1.0.0\n├── b v2.0.0\n└── b v1.0.0 (*)\n").crates(), 3);
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let tree = Tree::parse(DRAWN);
        assert!(!tree.has("async") && !tree.has("std"), "a name is a whole name");
        assert!(!tree.has_feature("tokio", "rt") && !tree.has_feature("async-std", "sync"));
        assert_eq!(Tree::parse(""), Tree::default());
    }
}
