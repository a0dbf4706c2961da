//! The builds in which one feature stands alone.
//!
//! They are read from the manifest, so that a sixth runtime is tested alone from the day it has its feature line.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{cargo, process};

/// The package whose features are meant.
const PACKAGE: &str = "runtime-lab";

/// Prints the builds, one a line.
pub(crate) fn run() -> Result<()> {
    let metadata =
        process::output(&mut cargo::command(&["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    for build in alone(&metadata)? {
        println!("{build}");
    }
    Ok(())
}

/// `none`, then every feature of the package but `default`, from the text that `cargo metadata` prints.
fn alone(metadata: &str) -> Result<Vec<String>> {
    let metadata: Value = serde_json::from_str(metadata).context("cannot read what `cargo metadata` printed")?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let features = packages.iter().find(|package| package["name"] == PACKAGE).map(|package| &package["features"]);
    let features =
        features.and_then(Value::as_object).with_context(|| format!("the workspace has no package {PACKAGE}"))?;
    let mut builds: Vec<String> = features.keys().filter(|feature| *feature != "default").cloned().collect();
    ensure!(builds.iter().any(|build| build.starts_with("runtime-")), "{PACKAGE} has no feature `runtime-…`");
    builds.sort_unstable();
    builds.insert(0, "none".to_owned());
    Ok(builds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_but_default_is_built_alone_and_so_is_none() {
        let metadata = r#"{"packages":[
            {"name":"mock-ollama","features":{"portable-poller":[]}},
            {"name":"runtime-lab","features":{"default":["runtime-b"],"runtime-b":[],"runtime-a":["dep:a"],"controls":[]}}
        ]}"#;
        assert_eq!(alone(metadata).unwrap(), ["none", "controls", "runtime-a", "runtime-b"]);
    }

    #[test]
    fn a_manifest_without_runtimes_is_an_error_and_not_an_empty_loop() {
        let metadata = r#"{"packages":[{"name":"runtime-lab","features":{"default":[],"controls":[]}}]}"#;
        assert_eq!(alone(metadata).unwrap_err().to_string(), "runtime-lab has no feature `runtime-…`");
        assert_eq!(alone(r#"{"packages":[]}"#).unwrap_err().to_string(), "the workspace has no package runtime-lab");
    }
}
