//! The builds in which one feature stands alone.
//!
//! They are read from the manifest, so that a sixth runtime is tested alone from the day it has its feature line.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{cargo, process};

/// Prints the builds of a package, one a line.
pub(crate) fn run(package: &str) -> Result<()> {
    let metadata =
        process::output(&mut cargo::command(&["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    for build in alone(&metadata, package)? {
        println!("{build}");
    }
    Ok(())
}

/// `none`, then every feature of the package but `default`, from the text that `cargo metadata` prints.
fn alone(metadata: &str, package: &str) -> Result<Vec<String>> {
    let metadata: Value = serde_json::from_str(metadata).context("cannot read what `cargo metadata` printed")?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let features = packages.iter().find(|known| known["name"] == package).map(|known| &known["features"]);
    let features =
        features.and_then(Value::as_object).with_context(|| format!("the workspace has no package {package}"))?;
    let mut builds: Vec<String> = features.keys().filter(|feature| *feature != "default").cloned().collect();
    ensure!(!builds.is_empty(), "{package} has no features");
    builds.sort_unstable();
    builds.insert(0, "none".to_owned());
    Ok(builds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{"packages":[
        {"name":"bare","features":{"default":[]}},
        {"name":"runtime-lab","features":{"default":["runtime-b"],"runtime-b":[],"runtime-a":["dep:a"],"controls":[]}}
    ]}"#;

    #[test]
    fn every_feature_but_default_is_built_alone_and_so_is_none() {
        assert_eq!(alone(METADATA, "runtime-lab").unwrap(), ["none", "controls", "runtime-a", "runtime-b"]);
    }

    #[test]
    fn a_manifest_without_features_is_an_error_and_not_an_empty_loop() {
        assert_eq!(alone(METADATA, "bare").unwrap_err().to_string(), "bare has no features");
        assert_eq!(alone(METADATA, "gone").unwrap_err().to_string(), "the workspace has no package gone");
    }
}
