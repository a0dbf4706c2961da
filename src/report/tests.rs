//! What is read: snapshots of the outputs, and the schema. All numbers are made up (see `fixture`).

use std::path::Path;

use super::fixture::{experiment, report, report_with_bounds};
use super::model::{Kind, Report};
use super::outputs::OUTPUTS;
use super::{conclusions::conclusions, json, markdown, terminal};
use crate::measure::decision::Separation;

const SCHEMA: &str = "docs/report.schema.json";

/// Two variants whose difference does not matter.
fn alike() -> Report {
    report_with_bounds(&experiment(&[("alpha", 3), ("beta", 5)]))
}

/// Two variants that are 60 ms apart.
fn apart() -> Report {
    report_with_bounds(&experiment(&[("alpha", 3), ("beta", 63)]))
}

/// A variant that loses a byte in its third block.
fn lossy() -> Report {
    let mut all = experiment(&[("alpha", 3), ("beta", 5)]);
    all[5].2.agents[0].exchanges[0].body[12] = b'?';
    report(&all)
}

fn answers(report: &Report) -> String {
    conclusions(report).map(|found| format!("{}\n  {}", found.question, found.answer)).join("\n")
}

#[test]
fn markdown_of_variants_that_are_alike() {
    insta::assert_snapshot!(markdown::render(&alike()));
}

#[test]
fn markdown_of_a_variant_that_loses_a_byte() {
    let text = markdown::render(&lossy());
    let from = text.find("## Where variants differ").unwrap();
    insta::assert_snapshot!(text[from..].lines().take(3).collect::<Vec<_>>().join("\n"));
}

#[test]
fn terminal_of_variants_that_are_alike() {
    insta::assert_snapshot!(terminal::render(&alike()));
}

#[test]
fn terminal_of_variants_that_are_apart() {
    insta::assert_snapshot!(terminal::render(&apart()));
}

#[test]
fn json_of_one_variant() {
    let mut all = experiment(&[("alpha", 3)]);
    all.truncate(1);
    insta::assert_snapshot!(json::pretty(&report_with_bounds(&all)));
}

#[test]
fn answers_when_variants_are_apart() {
    insta::assert_snapshot!(answers(&apart()));
}

#[test]
fn answers_when_a_variant_loses_a_byte() {
    insta::assert_snapshot!(answers(&lossy()));
}

#[test]
fn answers_when_there_are_too_few_blocks() {
    let mut all = experiment(&[("alpha", 3), ("beta", 5)]);
    all.truncate(6);
    insta::assert_snapshot!(answers(&report(&all)));
}

#[test]
fn answers_when_one_variant_runs_in_virtual_time() {
    let mut found = report(&experiment(&[("alpha", 3)]));
    found.timings.kind = Kind::Virtual;
    insta::assert_snapshot!(answers(&found));
}

#[test]
fn answers_when_a_variant_fails_in_every_block() {
    let mut all = experiment(&[("alpha", 3), ("beta", 5)]);
    for (_, _, seen, _) in all.iter_mut().filter(|(variant, ..)| *variant == "beta") {
        seen.agents[1].exchanges[0] = crate::measure::fixture::failed(0, 200);
        seen.agents[1].exchanges[0].recording = "made-up-insight".into();
    }
    insta::assert_snapshot!(answers(&report(&all)));
}

#[test]
fn no_line_on_the_terminal_is_longer_than_100_columns() {
    let name = "a-variant-with-a-name-that-is-far-too-long-for-any-table";
    let mut all = experiment(&[("alpha", 3), (name, 630_000)]);
    all[1].2.agents[0].exchanges[0].body.clear();
    let text = terminal::render(&report_with_bounds(&all));
    let longest = text.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(terminal::WIDTH), "{longest:?}\n{text}");
}

#[test]
fn a_report_never_names_a_faster_variant_unless_it_is_separated() {
    let text = markdown::render(&alike()) + &terminal::render(&alike());
    assert!(["faster", "slower", "best", "worst", "fastest"].into_iter().all(|word| !text.contains(word)), "{text}");
    assert_eq!(alike().timings.decision.unwrap().verdict, Separation::NoDifference);
}

#[test]
fn facts_are_the_same_bytes_whatever_ran() {
    let other = report(&experiment(&[("gamma", 90)]));
    assert_eq!(json::pretty(&alike().facts), json::pretty(&other.facts));
    assert!(!json::pretty(&other.facts).contains("gamma"));
}

#[test]
fn every_output_is_the_same_for_the_same_report_and_ends_in_one_newline() {
    for output in OUTPUTS {
        let text = (output.render)(&alike());
        assert_eq!(text, (output.render)(&alike()), "{}", output.file_name);
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{}", output.file_name);
    }
}

#[test]
fn a_report_survives_its_json() {
    let report = apart();
    assert_eq!(serde_json::from_str::<Report>(&json::pretty(&report)).unwrap(), report);
}

/// The schema as it is kept in `docs/`.
fn kept_schema() -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMA);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_schema_that_is_kept_is_the_one_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMA);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, json::schema::<Report>()).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(kept == json::schema::<Report>(), "{SCHEMA} is out of date: run this test with UPDATE_SCHEMA=1");
}

#[test]
fn reports_are_what_the_schema_says() {
    let schema = jsonschema::validator_for(&kept_schema()).unwrap();
    for report in [alike(), apart(), lossy()] {
        let value = serde_json::from_str(&json::pretty(&report)).unwrap();
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn what_is_no_report_is_rejected_by_the_schema() {
    let schema = jsonschema::validator_for(&kept_schema()).unwrap();
    let good: serde_json::Value = serde_json::from_str(&json::pretty(&alike())).unwrap();
    let breaks: [(&str, serde_json::Value); 6] = [
        ("/format", "runtime-lab-report/2".into()),
        ("/facts/agents/0/exchanges/0/bytes", (-1).into()),
        ("/timings/kind", "guessed".into()),
        ("/timings/variants/0/runs/0/measured/wall_us", "300 ms".into()),
        ("/timings/decision/verdict", "alpha-wins".into()),
        ("/environment/host/cores", serde_json::Value::Null),
    ];
    for (place, wrong) in breaks {
        let mut broken = good.clone();
        *broken.pointer_mut(place).unwrap() = wrong;
        assert!(!schema.is_valid(&broken), "{place}");
    }
    let mut extra = good.clone();
    extra["facts"]["variant"] = "alpha".into();
    assert!(!schema.is_valid(&extra), "facts must not name a variant");
    assert!(schema.is_valid(&good));
}

#[test]
fn variants_that_agree_in_virtual_time_are_one_row() {
    let mut report = report(&experiment(&[("alpha", 0), ("beta", 0), ("gamma", 90)]));
    report.timings.kind = Kind::Virtual;
    let names = |text: &str, after: &str| -> Vec<String> {
        let rows = text.split(after).nth(1).unwrap().lines().skip_while(|line| !line.starts_with("| ---"));
        let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
        rows.map(|line| line.split(" | ").next().unwrap().trim_start_matches("| ").to_owned()).collect()
    };
    let found = names(&markdown::render(&report), "## What clients waited for");
    assert_eq!(found, ["alpha, beta", "gamma"]);
    report.timings.variants.pop();
    assert_eq!(names(&markdown::render(&report), "## What clients waited for"), ["both"]);
    assert!(terminal::render(&report).lines().any(|line| line.starts_with("both ")));
}
