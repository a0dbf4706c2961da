use std::fs;

use super::*;

#[test]
fn runtimes_are_one_set_and_sets_are_their_own() {
    let tr115 = Published::built_in().unwrap();
    let all = sets(&tr115, "here");
    assert_eq!((all.len(), all[0].name.as_str(), all[0].runs.len()), (1, "here", 125));
    let serial = |runs: &[Run<'_>]| runs.iter().filter(|run| !run.overlaps()).count();
    assert_eq!(serial(&all[0].runs), 25);

    let servers = tr113_tr114().unwrap();
    let all = sets(&servers, "here");
    let told: Vec<_> = all.iter().map(|set| (set.name.as_str(), set.runs.len(), serial(&set.runs))).collect();
    assert_eq!(told, [("tr113", 19, 19), ("tr113-single-tr110", 115, 115), ("tr114-dual", 80, 0)]);
}

#[test]
fn the_first_agent_is_the_one_whose_first_token_came_first() {
    let published = tr113_tr114().unwrap();
    for set in sets(&published, "") {
        assert!(set.runs.iter().all(|run| run.agents[0].ttft_ms <= run.agents[1].ttft_ms));
    }
}

#[test]
fn a_folder_without_its_tables_is_the_systems_fault_and_a_bad_table_is_the_datas() {
    let folder = tempfile::tempdir().unwrap();
    let missing = read_folder(folder.path()).unwrap_err();
    assert!(missing.class() == ErrorClass::Io && missing.to_string().ends_with("runs.csv"), "{missing}");
    let [_, summary] = TR113_TR114;
    fs::write(folder.path().join(SUMMARY), summary).unwrap();
    fs::write(folder.path().join(RUNS), b"set,scenario\none,\xff\n").unwrap();
    let bad = read_folder(folder.path()).unwrap_err();
    assert!(bad.class() == ErrorClass::Data && bad.to_string().ends_with("runs.csv:2: this is not UTF-8"), "{bad}");
    let big = fs::File::create(folder.path().join(RUNS)).unwrap();
    big.set_len(MAX_TABLE_BYTES + 1).unwrap();
    let big = read_folder(folder.path()).unwrap_err();
    assert!(big.class() == ErrorClass::Data && big.to_string().contains("runs.csv:1: a table has at most"), "{big}");
}

/// The original tables lie beside the workspace, where they do. Without them the test is skipped; under
/// `REQUIRE_SHARED=1` that is a failure.
#[test]
fn the_tables_that_come_with_the_program_are_the_original_ones() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["tr113-tr114", "tr115"] {
        let original = root.join("../shared").join(folder);
        if !original.is_dir() {
            let required = std::env::var_os("REQUIRE_SHARED").is_some_and(|value| value == "1");
            assert!(!required, "there is no ../shared/{folder}, and REQUIRE_SHARED=1 asks for it");
            println!("skipped: there is no ../shared/{folder}");
            continue;
        }
        for table in [RUNS, SUMMARY] {
            let kept = fs::read(root.join("fixtures/papers").join(folder).join(table)).unwrap();
            assert!(kept == fs::read(original.join(table)).unwrap(), "{folder}/{table} is not the original");
        }
    }
}
