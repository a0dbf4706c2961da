//! The lines of an answer.

use std::fmt::Write as _;

/// Returns an answer of `/api/generate`: a line of about 109 bytes for each token.
pub fn answer(tokens: u32) -> String {
    (0..tokens).fold(String::new(), |mut text, k| {
        let (millis, done) = (100 + k % 900, k + 1 == tokens);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            r#"{{"model":"lab:latest","created_at":"2026-01-01T00:00:00.{millis}000000Z","response":" token {k:05}","done":{done}}}"#
        );
        text
    })
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn an_answer_has_a_json_line_of_about_109_bytes_for_each_token_and_the_last_is_done() {
        let text = answer(200);
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 200);
        assert!(
            text.lines().all(|line| (105..=109).contains(&(line.len() + 1))),
            "{}",
            text.lines().next().unwrap().len()
        );
        assert_eq!(lines.iter().position(|line| line["done"] == true), Some(199));
    }
}
