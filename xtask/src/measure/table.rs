//! How targets are shown.

use std::fmt::Write as _;

use super::judge::{Conclusion, Round, Side, TargetLimits, conclude};

/// One line of the table.
pub(crate) struct TargetRow {
    pub(crate) target: String,
    pub(crate) unit: &'static str,
    pub(crate) limits: Option<TargetLimits>,
    pub(crate) conclusion: Conclusion,
    /// How many rounds there were.
    pub(crate) rounds: usize,
}

impl TargetRow {
    /// What the rounds of a target say about it.
    pub(crate) fn new(target: &str, unit: &'static str, limits: Option<TargetLimits>, rounds: &[Round]) -> Self {
        Self { target: target.to_owned(), unit, limits, conclusion: conclude(rounds, limits), rounds: rounds.len() }
    }
}

/// A Markdown table.
pub(crate) fn markdown(lines: &[TargetRow]) -> String {
    let mut text = String::from(
        "| target | floor | stretch | measured (median) | rounds that counted | verdict |\n| --- | ---: | ---: | ---: | ---: | --- |\n",
    );
    for TargetRow { target, unit, limits, conclusion, rounds } in lines {
        let sign = limits.map_or("", |limits| if limits.side == Side::AtLeast { "≥ " } else { "≤ " });
        let shown = |limit: fn(&TargetLimits) -> f64| {
            limits.as_ref().map_or("–".to_owned(), |limits| format!("{sign}{}", number(limit(limits))))
        };
        let (floor, stretch) = (shown(|limits| limits.floor), shown(|limits| limits.stretch));
        let measured = conclusion.median.map_or("–".to_owned(), |value| format!("{}{unit}", number(value)));
        let (counted, verdict) = (conclusion.counted, conclusion.verdict);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {target} | {floor} | {stretch} | {measured} | {counted} of {rounds} | {verdict} |");
    }
    text
}

/// Three digits that matter, and never fewer than there are before the point.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::judge::{TargetOutcome, at_most};

    #[test]
    fn a_line_shows_limits_value_and_verdict() {
        let line = |median, verdict| TargetRow {
            target: "a".to_owned(),
            unit: " ms",
            limits: Some(at_most(25.0, 10.0)),
            conclusion: Conclusion { median, counted: 3, verdict },
            rounds: 5,
        };
        let shown = TargetRow { limits: None, ..line(None, TargetOutcome::Shown) };
        let text = markdown(&[line(Some(12.345), TargetOutcome::Pass), shown]);
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(rows, ["| a | ≤ 25.0 | ≤ 10.0 | 12.3 ms | 3 of 5 | pass |", "| a | – | – | – | 3 of 5 | – |"]);
    }

    #[test]
    fn numbers_have_three_digits_that_matter() {
        assert_eq!([0.9512, 9.512, 95.12, 951.2, -3.0].map(number), ["0.951", "9.51", "95.1", "951", "-3.00"]);
    }
}
