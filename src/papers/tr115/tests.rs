use super::*;
use crate::papers::data::sets;
use crate::papers::judge::judge;
use crate::papers::published::{Published, RunRow};

/// The lines in short on the published runs that `keep` picks.
fn lines(keep: impl Fn(&RunRow) -> bool) -> Vec<String> {
    let mut published = Published::built_in().unwrap();
    published.runs.retain(keep);
    let judged = judge(&sets(&published, "tr115"), "there").unwrap();
    let text = short::section(&judged, &label::findings(&judged).unwrap_or_default());
    text.lines().filter_map(|line| Some(line.strip_prefix("- ")?.to_owned())).collect()
}

fn any(lines: &[String], words: &str) -> bool {
    lines.iter().any(|line| line.contains(words))
}

#[test]
fn in_short_there_is_a_line_for_each_finding() {
    let lines = lines(|_| true);
    assert_eq!(lines.len(), 6, "{lines:#?}");
    assert!(lines[2].starts_with("async-std, the last, has 50.00 %"), "{}", lines[2]);
}

#[test]
fn without_async_std_nothing_is_said_of_a_mutex_that_was_held() {
    let lines = lines(|run| run.runtime != "async-std");
    assert!(lines.len() == 5 && !any(&lines, "held a mutex") && any(&lines, "No ranking"), "{lines:#?}");
}

#[test]
fn of_one_runtime_alone_no_label_is_judged() {
    let lines = lines(|run| run.runtime == "smol");
    assert!(lines.len() == 3 && !any(&lines, "name"), "{lines:#?}");
}

#[test]
fn without_runs_that_overlapped_only_the_mutex_is_told_and_it_is_the_last_of_nobody() {
    let mut published = Published::built_in().unwrap();
    published.runs.retain(|run| matches!(run.runtime.as_str(), "async-std" | "smol"));
    let sets = sets(&published, "tr115");
    let judged = judge(&sets, "there").unwrap();
    let held: Vec<Judged<'_>> = judged.into_iter().filter(|judged| judged.run.setup == MUTEX).collect();
    let text = short::section(&held, &[]);
    assert!(text.contains("- async-std has 50.00 %") && text.matches("\n- ").count() == 1, "{text}");
}
