//! Tables whose rows are variants.
//!
//! In virtual time variants differ only where their code does other things, so those that agree share their rows.

use super::model::{Kind, Report, VariantTimings};
use super::text::{Column, Table};

/// Numbers as the words of a sentence.
const NUMBER_WORDS: [&str; 11] = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// Returns what `show` makes of each variant, with the names of those that share it. In real time no two share anything.
pub(super) fn grouped<T: PartialEq>(report: &Report, show: impl Fn(&VariantTimings) -> T) -> Vec<(String, T)> {
    let variants = &report.timings.variants;
    let mut groups: Vec<(Vec<&str>, T)> = Vec::new();
    for variant in variants {
        let shown = show(variant);
        let is_virtual = report.timings.kind == Kind::Virtual;
        match groups.iter_mut().find(|(_, known)| is_virtual && *known == shown) {
            Some((names, _)) => names.push(&variant.variant),
            None => groups.push((vec![&variant.variant], shown)),
        }
    }
    groups.into_iter().map(|(names, shown)| (name_of(&names, variants.len()), shown)).collect()
}

/// Names a group: `all five`, `both`, or the names of its members.
fn name_of(names: &[&str], all: usize) -> String {
    match names {
        [only] => (*only).to_owned(),
        names if names.len() < all => names.join(", "),
        [_, _] => "both".to_owned(),
        names => match NUMBER_WORDS.get(names.len()) {
            Some(word) => format!("all {word}"),
            None => format!("all {}", names.len()),
        },
    }
}

/// Makes a table with a row for each variant, or for each group of variants that agree.
pub(super) fn variant_table(report: &Report, columns: &[Column<'_, VariantTimings>]) -> Table {
    let head: Vec<&str> = std::iter::once("variant").chain(columns.iter().map(|(title, _)| *title)).collect();
    let mut table = Table::new(&head);
    for (name, cells) in grouped(report, |variant| columns.iter().map(|(_, show)| show(variant)).collect::<Vec<_>>()) {
        table.row(std::iter::once(name).chain(cells).collect());
    }
    table
}
