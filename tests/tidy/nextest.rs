//! The settings of nextest: that it reads ours, and that they break no smaller build.

use crate::workspace::{File, Finding, root};

/// The file that people edit.
const SETTINGS: &str = "nextest.toml";
/// Where nextest and cargo-insta look.
const LINK: &str = ".config/nextest.toml";
/// Filters that are hard errors where nothing matches, as in a build with fewer features.
const BRITTLE: &[&str] = &["binary(", "binary_id(", "package(", "deps(", "rdeps("];

/// By this name the tests of real time are known: one filter gives them the whole host, one keeps them out of repeats.
const WALL_CLOCK: [&str; 2] = [
    "filter = 'test(/(^|::)wall_clock::/)'\ntest-group = \"wall-clock\"\n",
    "default-filter = 'not test(/(^|::)wall_clock::/)'\n",
];

fn check_wall_clock(settings: &File) -> Vec<Finding> {
    let absent = WALL_CLOCK.iter().filter(|text| !settings.text.contains(**text));
    absent.map(|text| Finding::new(&settings.path, 0, format!("lacks {text:?}"))).collect()
}

fn check_filters(settings: &File) -> Vec<Finding> {
    let numbered = settings.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
    numbered
        .flat_map(|(n, line)| {
            BRITTLE.iter().filter(move |filter| line.contains(**filter)).map(move |filter| (n, filter))
        })
        .map(|(n, filter)| {
            Finding::new(&settings.path, n + 1, format!("`{filter}…)` fails where nothing matches: use `test(…)`"))
        })
        .collect()
}

/// `target` is what the link holds, or nothing when it is no link.
fn check_link(target: Option<&str>) -> Vec<Finding> {
    match target {
        Some("../nextest.toml") => Vec::new(),
        Some(other) => vec![Finding::new(LINK, 0, format!("leads to {other}, not to ../{SETTINGS}"))],
        None => vec![Finding::new(
            LINK,
            0,
            format!("is no symlink to ../{SETTINGS}: `git config core.symlinks true`, then check out again"),
        )],
    }
}

#[test]
fn nextest_reads_the_settings_at_the_top() {
    let target = std::fs::read_link(root().join(LINK)).ok().map(|path| path.to_string_lossy().replace('\\', "/"));
    crate::assert_tidy(&check_link(target.as_deref()));
    let [link, settings] = [LINK, SETTINGS].map(|path| root().join(path).canonicalize().expect("the file exists"));
    assert_eq!(link, settings);
}

#[test]
fn filters_name_tests_by_their_module() {
    let files = crate::workspace::files();
    let settings = files.iter().find(|file| file.path == SETTINGS).expect("the settings exist");
    crate::assert_tidy(&check_filters(settings));
    crate::assert_tidy(&check_wall_clock(settings));
}

#[test]
fn control_settings_that_forget_the_wall_clock_are_rejected() {
    assert_eq!(check_wall_clock(&File::new(SETTINGS, &WALL_CLOCK.concat())), []);
    for kept in WALL_CLOCK {
        assert_eq!(check_wall_clock(&File::new(SETTINGS, &kept.replace("wall_clock", "slow"))).len(), 2);
        assert_eq!(check_wall_clock(&File::new(SETTINGS, kept)).len(), 1);
    }
}

#[test]
fn control_a_copy_and_a_link_elsewhere_are_rejected() {
    assert_eq!(check_link(Some("../nextest.toml")), []);
    assert_eq!(check_link(Some("../ci/nextest.toml")).len(), 1);
    assert_eq!(check_link(None).len(), 1);
}

#[test]
fn control_brittle_filters_are_rejected() {
    for filter in BRITTLE {
        let text = format!("# {filter}x) is brittle\nfilter = 'test(a) & {filter}x)'\n");
        let lines: Vec<usize> = check_filters(&File::new(SETTINGS, &text)).iter().map(|f| f.line).collect();
        assert!(lines.contains(&2) && !lines.contains(&1), "{filter}");
    }
}
