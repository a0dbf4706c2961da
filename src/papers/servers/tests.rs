use super::*;
use crate::papers::data::{sets, tr113_tr114};
use crate::papers::judge::judge;

/// The page of the sets that `keep` picks.
fn page_of(keep: impl Fn(&str) -> bool) -> String {
    let mut published = tr113_tr114().unwrap();
    published.runs.retain(|run| keep(&run.runtime));
    page(&judge(&sets(&published, ""), "there").unwrap())
}

#[test]
fn in_short_both_backends_are_compared_set_by_set() {
    let page = page_of(|_| true);
    let short = page.split("\n## ").nth(1).unwrap();
    assert!(short.starts_with("In short") && short.matches("Two servers in place of one").count() == 2, "{short}");
}

#[test]
fn with_one_backend_alone_nothing_is_compared() {
    let two = page_of(|set| set == "tr114-dual");
    assert!(!two.contains("From one server to two") && !two.contains("in place of one"), "{two}");
    assert!(!two.contains("Queueing") && two.contains("are in 4 of 80 runs on two servers."), "{two}");
    let one = page_of(|set| set != "tr114-dual");
    assert!(!one.contains("in place of one") && one.contains("Queueing"), "{one}");
}
