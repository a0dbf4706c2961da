//! The house: which module stands on which floor, and who may use whom (docs and `lib.rs` show the same picture).
//!
//! A module uses its own floor, without a circle, and the floors below. `main.rs` may use everything; `lib.rs` is the map.
//! The root package uses mock-ollama, never the reverse.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, is_word, line_of, occurrences};
use crate::workspace::{File, Finding};

/// A crate: where its sources are, and its floors from the ground up.
struct House {
    sources: &'static str,
    floors: &'static [&'static [&'static str]],
}

/// The table. A new module gets its name here, on the lowest floor from which everything it uses is at hand.
const HOUSES: &[House] = &[
    House {
        sources: "mock-ollama/src/",
        floors: &[
            &["clock", "files", "go_json", "journal", "seed", "terminal"],
            &["backend", "fault", "generation", "http", "models", "recording", "schedule"],
            &["dialect"],
            &["conversation", "import", "manage", "rules", "scrub", "summary"],
            &["catalog", "script"],
            &["engine"],
            &["driver"],
            &["record", "server"],
            &["cli", "main"],
        ],
    },
    House {
        sources: "src/",
        floors: &[
            &["stats", "transcript", "variant", "workload"],
            &["chunking", "ndjson"],
            &["measure", "report"],
            &[],
            &["clients", "controls", "runtimes", "sim"],
            &["cost", "papers", "run"],
            &["cli", "main"],
        ],
    },
    House {
        sources: "tools/loadgen/src/",
        floors: &[
            &["body", "counter", "lateness", "proc", "report", "samples", "sys"],
            &["load", "on", "raw"],
            &["cli", "main"],
        ],
    },
];

impl House {
    fn floor_of(&self, module: &str) -> Option<usize> {
        self.floors.iter().position(|floor| floor.contains(&module))
    }

    /// The top-level module that `path` belongs to, and how deep in the module tree the file stands (1: the top).
    fn module_of<'p>(&self, path: &'p str) -> Option<(&'p str, usize)> {
        let inside = path.strip_prefix(self.sources)?.strip_suffix(".rs")?;
        let parts: Vec<&str> = inside.split('/').filter(|part| *part != "mod").collect();
        Some((parts.first()?, parts.len()))
    }

    fn check(&self, files: &[File]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut same_floor: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for file in files {
            let Some((module, depth)) = self.module_of(&file.path) else { continue };
            if module == "lib" {
                continue;
            }
            let Some(floor) = self.floor_of(module) else {
                findings.push(Finding::new(&file.path, 0, format!("`{module}` has no floor in {}", file!())));
                continue;
            };
            let code = Source::new(&file.text).code;
            for Import { name, at, from_root } in imports(&code, depth) {
                let line = line_of(&code, at);
                match self.floor_of(&name) {
                    Some(above) if above > floor => findings.push(Finding::new(
                        &file.path,
                        line,
                        format!("`{module}` on floor {floor} climbs to `{name}` on floor {above}"),
                    )),
                    Some(same) if same == floor && name != module => {
                        same_floor.entry(module).or_default().insert(name);
                    }
                    None if from_root => findings.push(Finding::new(
                        &file.path,
                        line,
                        format!("`crate::{name}` is no module of the floor table: import it from where it is defined"),
                    )),
                    _ => {}
                }
            }
        }
        findings.extend(self.circles(&same_floor));
        findings
    }

    /// Modules of one floor that use each other, directly or by way of others.
    fn circles(&self, uses: &BTreeMap<&str, BTreeSet<String>>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for &module in uses.keys() {
            let mut seen = BTreeSet::new();
            let mut open = vec![module];
            while let Some(next) = open.pop() {
                for used in uses.get(next).into_iter().flatten() {
                    if seen.insert(used.as_str()) {
                        open.push(used);
                    }
                }
            }
            if seen.contains(module) {
                let what = format!("`{module}` uses itself in a circle, by way of {seen:?}");
                findings.push(Finding::new(self.sources, 0, what));
            }
        }
        findings
    }
}

struct Import {
    name: String,
    at: usize,
    /// Whether the name is surely a module or an item at the crate's root.
    from_root: bool,
}

/// Every name at the root of the crate that `code`, the code of a file at `depth`, mentions.
fn imports(code: &str, depth: usize) -> Vec<Import> {
    let mut imports = Vec::new();
    for at in occurrences(code, "crate::") {
        // Behind `$crate` stand macros too, which live at the root whatever floor they are from.
        names(code, at + "crate::".len(), !code[..at].ends_with('$'), &mut imports);
    }
    // In a file at the top of the tree `super::` is the root. In its inline modules it is not, but a name from the floor table
    // behind it is a climb in all likelihood; other names are not judged.
    let climb = "super::".repeat(depth);
    for at in occurrences(code, &climb) {
        names(code, at + climb.len(), false, &mut imports);
    }
    imports
}

/// The names that a path goes on with at `at`: one, or those at the top of a group in braces.
fn names(code: &str, at: usize, from_root: bool, imports: &mut Vec<Import>) {
    let mut push = |at: usize| {
        let name: String = code[at..].chars().take_while(|&c| is_word(c)).collect();
        let behind = &code[at + name.len()..];
        // A macro lives at the root whatever floor it is from; a glob shows no names.
        let is_macro = behind.starts_with('!') && !behind.starts_with("!=");
        if !is_macro && !matches!(name.as_str(), "" | "self" | "super") {
            imports.push(Import { name, at, from_root });
        }
    };
    if !code[at..].starts_with('{') {
        return push(at);
    }
    let mut depth = 0_usize;
    let mut fresh = false;
    for (i, c) in code[at..].char_indices() {
        match c {
            '{' => (depth, fresh) = (depth + 1, true),
            '}' if depth == 1 => return,
            '}' => depth -= 1,
            ',' => fresh = true,
            c if c.is_whitespace() => {}
            _ => {
                if fresh && depth == 1 {
                    push(at + i);
                }
                fresh = false;
            }
        }
    }
}

/// mock-ollama knows nothing of the lab: neither in code nor in prose nor in its manifest.
fn check_reverse_use(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("mock-ollama/")) {
        let word = if file.is_rust() { "runtime_lab" } else { "runtime-lab" };
        if !file.is_rust() && !file.path.ends_with("Cargo.toml") {
            continue;
        }
        for at in occurrences(&file.text, word) {
            findings.push(Finding::new(&file.path, line_of(&file.text, at), "mock-ollama uses the lab"));
        }
    }
    findings
}

fn check(files: &[File]) -> Vec<Finding> {
    HOUSES.iter().flat_map(|house| house.check(files)).collect()
}

#[test]
fn no_import_climbs_and_every_module_has_its_floor() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn mock_ollama_does_not_know_the_lab() {
    crate::assert_tidy(&check_reverse_use(&crate::workspace::files()));
}

#[test]
fn a_name_stands_on_one_floor_of_a_house() {
    for house in HOUSES {
        let names: Vec<_> = house.floors.iter().flat_map(|floor| floor.iter()).collect();
        assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "{}", house.sources);
    }
}

#[test]
fn control_an_import_that_climbs_is_rejected_however_it_is_written() {
    let climbs = [
        ("mock-ollama/src/clock.rs", "use crate::engine::Engine;"),
        ("mock-ollama/src/http/head.rs", "use crate::{\n    clock::Instant,\n    engine::{Action, Engine},\n};"),
        ("mock-ollama/src/http/mod.rs", "fn f() { let _ = crate::server::start(); }"),
        ("mock-ollama/src/clock.rs", "use super::engine::Engine;"),
        ("mock-ollama/src/http/head.rs", "use super::super::engine::Engine;"),
        ("src/ndjson.rs", "pub(crate) use crate::run;"),
        ("src/report/json.rs", "#[cfg(test)]\nmod tests {\n    use crate::cli;\n}"),
    ];
    for (path, text) in climbs {
        let found = check(&[File::new(path, text)]);
        assert!(found.len() == 1 && found[0].what.contains("climbs to"), "{path} {text}: {found:?}");
    }
}

#[test]
fn control_a_module_without_a_floor_is_rejected_and_so_is_a_name_of_the_root() {
    let found = check(&[File::new("src/attic/mod.rs", "")]);
    assert!(found.len() == 1 && found[0].what.contains("`attic` has no floor"), "{found:?}");
    let found = check(&[File::new("mock-ollama/src/server.rs", "use crate::MockOllama;")]);
    assert!(found.len() == 1 && found[0].what.contains("`crate::MockOllama` is no module"), "{found:?}");
}

#[test]
fn control_a_circle_on_a_floor_is_rejected() {
    let file = |module: &str, used: &str| {
        File::new(&format!("mock-ollama/src/{module}.rs"), &format!("use crate::{used}::X;"))
    };
    assert_eq!(check(&[file("clock", "seed"), file("journal", "clock")]), []);
    let found = check(&[file("clock", "seed"), file("seed", "journal"), file("journal", "clock")]);
    assert!(!found.is_empty() && found.iter().all(|f| f.what.contains("in a circle")), "{found:?}");
}

#[test]
fn downward_imports_macros_and_prose_are_accepted() {
    let good = [
        ("mock-ollama/src/engine/mod.rs", "use crate::{clock::Instant, http, recording::{self, model}};"),
        ("mock-ollama/src/main.rs", "use mock_ollama::server;\nuse crate::cli;"),
        ("src/clients/hyper.rs", "use crate::chunking;\nuse mock_ollama::server::MockOllama;\nuse super::Client;"),
        ("src/variant.rs", "//! See [`crate::run`].\ncrate::with_variants! { x }\n$crate::rows!([$crate::row])"),
        ("src/lib.rs", "pub mod attic;"),
    ];
    for (path, text) in good {
        assert_eq!(check(&[File::new(path, text)]), [], "{path} {text}");
    }
}

#[test]
fn control_a_mock_that_uses_the_lab_is_rejected() {
    let bad = [
        File::new("mock-ollama/tests/suite/main.rs", "use runtime_lab::run;"),
        File::new("mock-ollama/Cargo.toml", "[dev-dependencies]\nruntime-lab = { path = \"..\" }"),
    ];
    assert_eq!(check_reverse_use(&bad).len(), 2);
}
