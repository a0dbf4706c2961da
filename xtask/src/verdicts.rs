//! The verdicts of the wall-clock gates.
//!
//! A wall-clock gate has a third verdict, *inconclusive*, for a host too busy to judge; such a test passes. A suite in which
//! every gate passed that way has measured nothing, and this check says so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use lab_stats::Verdict;
use serde::Deserialize;

use crate::cargo;

/// One line of the file.
#[derive(Debug, Deserialize)]
struct Line {
    gate: String,
    variant: String,
    verdict: Verdict,
    why: String,
}

/// Prints the counts of `file`, which is relative to the workspace's root.
pub(crate) fn run(file: &Path) -> Result<()> {
    let path = cargo::root().join(file);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("no wall-clock gate left a verdict: cannot read {}", file.display()))?;
    let lines = parse(&text).with_context(|| format!("cannot read {}", file.display()))?;
    print!("{}", summary(&lines));
    judge(&lines)
}

fn parse(text: &str) -> Result<Vec<Line>> {
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    numbered.map(|(n, line)| serde_json::from_str(line).with_context(|| format!("line {}", n + 1))).collect()
}

/// The counts, then every gate and variant that could not be judged, and why.
fn summary(lines: &[Line]) -> String {
    let count = |verdict| lines.iter().filter(|line| line.verdict == verdict).count();
    let (pass, fail, inconclusive) = (count(Verdict::Pass), count(Verdict::Fail), count(Verdict::Inconclusive));
    let mut text = format!("wall-clock verdicts: {pass} pass, {fail} fail, {inconclusive} inconclusive\n");
    for line in lines.iter().filter(|line| line.verdict != Verdict::Pass) {
        let Line { gate, variant, verdict, why } = line;
        text.extend(["  ", &verdict.to_string(), " ", gate, " ", variant, ": ", why, "\n"]);
    }
    text
}

/// Fails when there is no verdict at all or none but inconclusive ones; names the gates that were never decided.
///
/// A `fail` is not judged here: the test that wrote it has failed already.
fn judge(lines: &[Line]) -> Result<()> {
    if lines.is_empty() {
        bail!("no wall-clock gate left a verdict");
    }
    let gates: BTreeSet<&str> = lines.iter().map(|line| line.gate.as_str()).collect();
    let decided: BTreeSet<&str> =
        lines.iter().filter(|line| line.verdict != Verdict::Inconclusive).map(|line| line.gate.as_str()).collect();
    if decided.is_empty() {
        bail!("every wall-clock gate was inconclusive: this run says nothing about time (is the host busy?)");
    }
    let undecided: Vec<&str> = gates.difference(&decided).copied().collect();
    if !undecided.is_empty() {
        println!("  never decided in this run: {}", undecided.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASS: &str = r#"{"gate":"overlap","variant":"smol","verdict":"pass","why":"0.98 of 0.90"}"#;
    const SPOILT: &str =
        r#"{"gate":"overlap","variant":"async-std","verdict":"inconclusive","why":"server late by 9 ms"}"#;

    fn verdict_of(text: &str) -> Result<()> {
        judge(&parse(text)?)
    }

    #[test]
    fn one_decided_gate_is_enough() {
        assert!(verdict_of(&format!("{PASS}\n{SPOILT}\n")).is_ok());
    }

    #[test]
    fn gates_that_were_all_inconclusive_are_rejected() {
        let error = verdict_of(&format!("{SPOILT}\n{SPOILT}\n")).unwrap_err();
        assert!(error.to_string().starts_with("every wall-clock gate was inconclusive"), "{error}");
    }

    #[test]
    fn an_empty_file_is_rejected() {
        assert_eq!(verdict_of("\n").unwrap_err().to_string(), "no wall-clock gate left a verdict");
    }

    #[test]
    fn a_missing_file_is_rejected() {
        let error = run(Path::new("target/no-such-verdicts.jsonl")).unwrap_err();
        assert!(error.to_string().starts_with("no wall-clock gate left a verdict: cannot read"), "{error}");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let error = verdict_of(&format!("{PASS}\n{{\"gate\":\"overlap\"}}\n")).unwrap_err();
        assert_eq!(error.to_string(), "line 2");
        let error = verdict_of(&PASS.replace("pass", "perhaps")).unwrap_err();
        assert_eq!(error.to_string(), "line 1");
    }

    #[test]
    fn the_summary_counts_and_says_why() {
        let lines = parse(&format!("{PASS}\n{SPOILT}\n")).unwrap();
        assert_eq!(
            summary(&lines),
            "wall-clock verdicts: 1 pass, 0 fail, 1 inconclusive\n  inconclusive overlap async-std: server late by 9 ms\n"
        );
    }
}
