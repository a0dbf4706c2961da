//! Numbers and tables for people.

use crate::report::model::Spread;

/// Microseconds as seconds: `12.346 s`.
pub fn seconds(us: i64) -> String {
    let ms = (us.unsigned_abs() + 500) / 1_000;
    let sign = if us < 0 && ms > 0 { "-" } else { "" };
    format!("{sign}{}.{:03} s", ms / 1_000, ms % 1_000)
}

/// Microseconds as milliseconds, `12.35 ms`, and as seconds from ten of them on.
pub(super) fn millis(us: i64) -> String {
    if us.unsigned_abs() >= 10_000_000 {
        return seconds(us);
    }
    let hundredths = (us.unsigned_abs() + 5) / 10;
    let sign = if us < 0 && hundredths > 0 { "-" } else { "" };
    format!("{sign}{}.{:02} ms", hundredths / 100, hundredths % 100)
}

/// Microseconds as they are, `123 µs`, and as milliseconds from ten of them on.
pub(super) fn micros(us: i64) -> String {
    if us.unsigned_abs() < 10_000 { format!("{us} µs") } else { millis(us) }
}

/// A share as per cent: `1.23 %`.
pub fn percent(share: f64) -> String {
    let text = format!("{:.2} %", share * 100.0);
    if text == "-0.00 %" { "0.00 %".to_owned() } else { text }
}

/// A confidence as per cent, without digits it does not need: `95 %`, `99.5 %`.
pub(crate) fn confidence(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A median with its interval: `12.346 s [12.300 s, 12.401 s]`; the median alone where there is no interval.
pub(super) fn spread<T: Copy>(spread: &Spread<T>, show: impl Fn(T) -> String) -> String {
    match (spread.low, spread.high) {
        (Some(low), Some(high)) => format!("{} [{}, {}]", show(spread.median), show(low), show(high)),
        _ => show(spread.median),
    }
}

/// The text of a number that may be absent.
pub fn or_dash<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), show)
}

/// `1 block`, `2 blocks`.
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A column of a table: its title, and what it shows of a row.
pub(crate) type Column<'c, R> = (&'c str, &'c dyn Fn(&R) -> String);

/// A table in memory. Columns of numbers are aligned to the right, those of words to the left.
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|&cell| cell.to_owned()).collect(), rows: Vec::new() }
    }

    /// Makes a table of `rows`, column by column.
    pub fn of<R>(rows: impl IntoIterator<Item = R>, columns: &[Column<'_, R>]) -> Self {
        let mut table = Self::new(&columns.iter().map(|(title, _)| *title).collect::<Vec<_>>());
        for row in rows {
            table.row(columns.iter().map(|(_, show)| show(&row)).collect());
        }
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn is_numeric(&self, column: usize) -> bool {
        let starts = |cell: &String| cell.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '–'));
        self.rows.iter().filter_map(|row| row.get(column)).all(starts)
    }

    /// As Markdown, with an empty line after it.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<&str> =
            (0..self.head.len()).map(|column| if self.is_numeric(column) { "---:" } else { "---" }).collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}| {} |\n{rows}\n", line(&self.head), rule.join(" | "))
    }

    /// As [`Self::plain`], with the first column cut where a line would be longer than `width`. It keeps its title.
    pub(super) fn plain_within(mut self, width: usize) -> String {
        let longest = self.plain().lines().map(|line| line.chars().count()).max().unwrap_or(0);
        let names = || std::iter::once(&self.head).chain(&self.rows).filter_map(|row| row.first());
        let widest = names().map(|name| name.chars().count()).max().unwrap_or(0);
        let title = self.head.first().map_or(0, |title| title.chars().count());
        let room = (widest + width).saturating_sub(longest).max(title);
        for name in self.rows.iter_mut().filter_map(|row| row.first_mut()) {
            *name = name.chars().take(room).collect();
        }
        self.plain()
    }

    /// As columns with two spaces between them.
    pub fn plain(&self) -> String {
        let width = |column: usize| {
            let cells = std::iter::once(&self.head).chain(&self.rows).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |cells: &Vec<String>| {
            let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if self.is_numeric(column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
        };
        std::iter::once(&self.head).chain(&self.rows).map(line).collect()
    }
}

/// `text` in lines of at most `width` characters, the following ones indented by `indent` spaces. A word that is
/// longer than a line is cut.
pub fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let room = width.saturating_sub(indent).max(1);
    let mut lines: Vec<String> = vec![String::new()];
    let mut put = |word: &str| {
        let free = if lines.len() == 1 { width } else { room };
        let used = lines.last().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(line) if used == 0 => line.push_str(word),
            Some(line) if used + 1 + word.chars().count() <= free => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    };
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        letters.chunks(room).for_each(|part| put(&part.iter().collect::<String>()));
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_rounded_to_the_digits_that_are_shown() {
        assert_eq!([seconds(12_345_500), seconds(-400), seconds(999_999)], ["12.346 s", "0.000 s", "1.000 s"]);
        assert_eq!([millis(10_000_000), micros(9_999), micros(10_000)], ["10.000 s", "9999 µs", "10.00 ms"]);
        assert_eq!([millis(12_345), millis(-12_345), millis(4)], ["12.35 ms", "-12.35 ms", "0.00 ms"]);
    }

    #[test]
    fn shares_become_per_cent_without_a_negative_zero() {
        assert_eq!([percent(0.012_34), percent(-0.000_001), percent(1.0)], ["1.23 %", "0.00 %", "100.00 %"]);
        assert_eq!([confidence(0.95), confidence(0.995), confidence(0.9)], ["95 %", "99.5 %", "90 %"]);
    }

    #[test]
    fn a_spread_without_interval_shows_its_median_alone() {
        assert_eq!(spread(&Spread { median: 5, low: None, high: None }, micros), "5 µs");
        assert_eq!(spread(&Spread { median: 5, low: Some(4), high: Some(6) }, micros), "5 µs [4 µs, 6 µs]");
    }

    #[test]
    fn a_table_cell_cannot_break_its_table() {
        let mut table = Table::new(&["a"]);
        table.row(vec!["x|y\nz".into()]);
        assert_eq!(table.markdown(), "| a |\n| --- |\n| x\\|y z |\n\n");
    }

    proptest! {
        #[test]
        fn wrapping_keeps_every_letter_and_the_width(text in "[a-zµ ]{0,200}", width in 12_usize..60) {
            let wrapped = wrapped(&text, width, 4);
            prop_assert!(wrapped.lines().all(|line| line.chars().count() <= width));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&wrapped), letters(&text));
        }
    }
}
