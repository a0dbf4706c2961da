//! The lines that a page begins with.

/// The section; empty without lines.
pub(super) fn section(lines: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<String> = lines.into_iter().collect();
    if lines.is_empty() { String::new() } else { format!("## In short\n\n- {}\n\n", lines.join("\n- ")) }
}
