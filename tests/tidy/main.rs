//! Guards what no compiler does.
//!
//! Every check is a pure function from files to findings, and every check has a control: an input it must reject.
//!
//! | module | what it rejects |
//! | --- | --- |
//! | [`size`] | source files that have grown past 600 lines |
//! | [`floors`] | imports that climb, circles on a floor, modules that the table does not know |
//! | [`circles`] | files inside a module that use each other in a circle |
//! | [`clock`] | clock reads and sleeps outside the places that are there for it |
//! | [`comments`] | bodies that handle time or state and do not say why |
//! | [`escapes`] | lints switched off without a reason, and work left for later |
//! | [`fixtures`] | fixtures without an entry in their inventory, and entries without a fixture |
//! | [`snapshots`] | snapshots that no test writes any more, and snapshots that wait for review |
//! | [`map`] | a map of the house that names what does not exist, or leaves a module out |
//! | [`names`] | names of types that mean several things |
//! | [`nextest`] | a settings file that nextest would not read, or that breaks smaller builds |
//! | [`prints`] | macros that print, in the two programs |
//! | [`readme`] | commands of the README that nothing runs |
//!
//! [`workspace`] reads the files, [`source`] tells code from comments and strings.

mod circles;
mod clock;
mod comments;
mod escapes;
mod fixtures;
mod floors;
mod map;
mod names;
mod nextest;
mod prints;
mod readme;
mod size;
mod snapshots;
mod source;
mod workspace;

/// Fails with one line a finding, `path:line: what`.
#[track_caller]
fn assert_tidy(findings: &[workspace::Finding]) {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} finding(s):\n{}", lines.len(), lines.join("\n"));
}
