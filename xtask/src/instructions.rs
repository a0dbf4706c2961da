//! `cargo xtask instructions`: how many instructions three hot functions execute, against a baseline.
//!
//! `tools/gates/src/bin/hot.rs` makes passes of a function over fixed input; callgrind counts. What a run does besides its passes is
//! the same in a run with twice as many, so the difference of the two is that of the passes alone.
//!
//! The counts are those of one compiler on one kind of host: the baseline is kept for each, in
//! `tools/gates/instructions.json`. One that is not there is no failure; `--baseline` writes it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::process::{output, succeeds};
use crate::{NotHere, cargo};

/// The functions, as the program calls them.
const FUNCTIONS: [&str; 3] = ["framer", "encode", "engine-step"];

/// Passes of the shorter run.
const PASSES: u64 = 20;

/// How far from its baseline a count may be, in per cent of it.
const TOLERANCE: u64 = 2;

/// The baselines, from the workspace's root.
const FILE: &str = "tools/gates/instructions.json";

/// Instructions of one pass, by function.
type Counts = BTreeMap<String, u64>;

/// The counts of every kind of host, by compiler.
type Baselines = BTreeMap<String, BTreeMap<String, Counts>>;

/// What is asked of the chore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Compare with the baseline.
    Compare,
    /// Write the baseline.
    Baseline,
    /// Compare a twentieth more work: every function must be rejected.
    Control,
}

/// Counts, and compares or writes.
pub(crate) fn run(mode: Mode) -> Result<()> {
    if !succeeds(Command::new("valgrind").arg("--version")) {
        return Err(NotHere("there is no `valgrind`".to_owned()).into());
    }
    let (compiler, host) = (compiler()?, host());
    let path = cargo::root().join(FILE);
    let mut baselines = read(&path)?;
    let known = baselines.get(&compiler).and_then(|hosts| hosts.get(&host));
    if known.is_none() && mode != Mode::Baseline {
        let why = format!("no baseline for this compiler ({compiler}) on {host}: run with --baseline");
        return Err(NotHere(why).into());
    }
    cargo::run(&["build", "--release", "--locked", "--package", "gates", "--bin", "hot"])?;
    let program = cargo::target().join("release/hot");
    let surplus = if mode == Mode::Control { PASSES / 20 } else { 0 };
    let mut counts = Counts::new();
    for function in FUNCTIONS {
        counts.insert(function.to_owned(), count(&program, function, PASSES + surplus)?);
    }
    if let Some(known) = known.filter(|_| mode != Mode::Baseline) {
        let rows = compare(known, &counts);
        for row in &rows {
            println!("{row}");
        }
        return judge(&rows, mode == Mode::Control);
    }
    for (function, count) in &counts {
        println!("{function}: {count} instructions a pass");
    }
    baselines.entry(compiler).or_default().insert(host, counts);
    let text = serde_json::to_string_pretty(&baselines)? + "\n";
    fs::write(&path, text).with_context(|| format!("cannot write {FILE}"))?;
    println!("written to {FILE}");
    Ok(())
}

/// What `rustc -V` says, of the compiler that cargo uses.
fn compiler() -> Result<String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Ok(output(Command::new(program).arg("-V").current_dir(cargo::root()))?.trim().to_owned())
}

/// What the counts depend on beside the compiler: the architecture, and what the processor and the C library bring to
/// searching and copying.
fn host() -> String {
    #[cfg(target_arch = "x86_64")]
    let vectors = if std::is_x86_feature_detected!("avx2") { " with avx2" } else { "" };
    #[cfg(not(target_arch = "x86_64"))]
    let vectors = "";
    let libc = output(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    let libc = libc.unwrap_or_else(|_| "another C library".to_owned());
    format!("{}{vectors}, {}", std::env::consts::ARCH, libc.trim())
}

fn read(path: &Path) -> Result<Baselines> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {FILE}"))?;
    serde_json::from_str(&text).with_context(|| format!("cannot read {FILE}"))
}

/// Instructions of one pass: of `passes` more passes, over [`PASSES`].
fn count(program: &Path, function: &str, passes: u64) -> Result<u64> {
    let once = total(program, function, passes, 2 * passes)?;
    let twice = total(program, function, 2 * passes, 2 * passes)?;
    ensure!(twice > once, "{function}: twice as many passes take no more instructions ({once}, {twice})");
    Ok((twice - once) / PASSES)
}

/// Instructions of a whole run.
fn total(program: &Path, function: &str, passes: u64, prepared: u64) -> Result<u64> {
    let out = cargo::target().join(format!("callgrind.{function}.{passes}"));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", out.display()));
    output(valgrind.arg(program).args([function, &passes.to_string(), &prepared.to_string()]))?;
    let profile = fs::read_to_string(&out).with_context(|| format!("cannot read {}", out.display()))?;
    fs::remove_file(&out).ok();
    instructions(&profile).with_context(|| format!("callgrind left no summary of {function}"))
}

/// The number behind `totals:`, or `summary:` where callgrind was ended early.
fn instructions(profile: &str) -> Option<u64> {
    let number = |key: &str| profile.lines().find_map(|line| line.strip_prefix(key))?.trim().parse().ok();
    number("totals:").or_else(|| number("summary:"))
}

/// A function's count beside its baseline.
#[derive(Debug, PartialEq)]
struct Row {
    function: String,
    baseline: Option<u64>,
    count: Option<u64>,
}

impl Row {
    /// By how much the count differs, as a share of the baseline.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn change(&self) -> Option<f64> {
        let (baseline, count) = (self.baseline? as f64, self.count? as f64);
        (baseline > 0.0).then(|| count / baseline - 1.0)
    }

    fn kept(&self) -> bool {
        let (Some(baseline), Some(count)) = (self.baseline, self.count) else { return false };
        baseline > 0 && 100 * baseline.abs_diff(count) <= TOLERANCE * baseline
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |count: Option<u64>| count.map_or_else(|| "none".to_owned(), |count| count.to_string());
        let verdict = if self.kept() { "ok    " } else { "broken" };
        write!(f, "{verdict} {:<12} {:>10} instructions a pass", self.function, shown(self.count))?;
        write!(f, ", baseline {:>10}", shown(self.baseline))?;
        self.change().map_or(Ok(()), |change| write!(f, ", {:+.2} %", 100.0 * change))
    }
}

/// Every function that was counted or has a baseline.
fn compare(baseline: &Counts, counts: &Counts) -> Vec<Row> {
    let mut functions: Vec<&String> = baseline.keys().chain(counts.keys()).collect();
    functions.sort_unstable();
    functions.dedup();
    let row = |function: &String| Row {
        function: function.clone(),
        baseline: baseline.get(function).copied(),
        count: counts.get(function).copied(),
    };
    functions.into_iter().map(row).collect()
}

/// Fails when a function is outside its tolerance; of a control, when one is within.
fn judge(rows: &[Row], control: bool) -> Result<()> {
    let names = |kept: bool| {
        let rows = rows.iter().filter(|row| row.kept() == kept);
        rows.map(|row| row.function.as_str()).collect::<Vec<_>>().join(", ")
    };
    match (control, names(true).is_empty(), names(false).is_empty()) {
        (_, true, true) => bail!("nothing was compared"),
        (false, _, true) => {}
        (false, ..) => {
            bail!("outside ±{TOLERANCE} % of the baseline: {}; run with --baseline if it is meant", names(false))
        }
        (true, true, _) => println!("a twentieth more work is rejected for every function"),
        (true, ..) => bail!("the control is within ±{TOLERANCE} % of the baseline: {}", names(true)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: &[(&str, u64)]) -> Counts {
        counts.iter().map(|(function, count)| ((*function).to_owned(), *count)).collect()
    }

    fn verdict(baseline: &[(&str, u64)], now: &[(&str, u64)], control: bool) -> Result<(), String> {
        judge(&compare(&counts(baseline), &counts(now)), control).map_err(|error| error.to_string())
    }

    #[test]
    fn a_count_may_differ_by_the_tolerance_either_way_and_by_no_more() {
        for (count, kept) in [(10_000, true), (10_200, true), (9_800, true), (10_201, false), (9_799, false)] {
            assert_eq!(verdict(&[("a", 10_000)], &[("a", count)], false).is_ok(), kept, "{count}");
            assert_eq!(verdict(&[("a", 10_000)], &[("a", count)], true).is_ok(), !kept, "{count}");
        }
    }

    #[test]
    fn every_function_that_is_outside_is_named_and_so_is_one_that_is_missing() {
        let baseline = [("a", 100), ("b", 100), ("c", 100)];
        assert_eq!(
            verdict(&baseline, &[("a", 100), ("b", 200), ("d", 1)], false).unwrap_err(),
            "outside ±2 % of the baseline: b, c, d; run with --baseline if it is meant"
        );
        assert!(verdict(&[], &[], false).is_err() && verdict(&[], &[], true).is_err());
        assert!(verdict(&[("a", 0)], &[("a", 0)], false).is_err());
    }

    #[test]
    fn a_control_must_be_rejected_for_every_function() {
        let baseline = [("a", 100), ("b", 100)];
        assert_eq!(verdict(&baseline, &[("a", 105), ("b", 105)], true), Ok(()));
        assert_eq!(
            verdict(&baseline, &[("a", 105), ("b", 101)], true).unwrap_err(),
            "the control is within ±2 % of the baseline: b"
        );
    }

    #[test]
    fn a_row_says_what_changed() {
        let rows = compare(&counts(&[("encode", 2000)]), &counts(&[("encode", 2100)]));
        assert_eq!(
            rows[0].to_string(),
            "broken encode             2100 instructions a pass, baseline       2000, +5.00 %"
        );
    }

    #[test]
    fn the_instructions_of_a_run_are_its_totals() {
        let profile = "# callgrind format\nversion: 1\nevents: Ir\nsummary: 12\nfn=(1) main\n3 4\ntotals: 345\n";
        assert_eq!(instructions(profile), Some(345));
        assert_eq!(instructions("events: Ir\nsummary: 12\n"), Some(12));
        assert_eq!(instructions("events: Ir\n"), None);
    }

    #[test]
    fn the_baselines_can_be_read_and_name_every_function() {
        let baselines = read(&cargo::root().join(FILE)).unwrap();
        for counts in baselines.values().flat_map(BTreeMap::values) {
            assert_eq!(counts.keys().map(String::as_str).collect::<Vec<_>>(), ["encode", "engine-step", "framer"]);
        }
    }
}
