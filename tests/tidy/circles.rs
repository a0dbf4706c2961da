//! Files inside one module that use each other in a circle, so that none of them can be read first.
//!
//! A file uses another one when a path in it leads there: `super::part::X`, `crate::engine::part::X`, a name that a module
//! above re-exports. Declarations (`mod part;`), re-exports and tests are no use.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, is_word, library_files, without_tests};
use crate::workspace::{File, Finding};

/// Modules that are checked, by the folder that `crate` stands for and their path in it.
const MODULES: &[(&str, &str)] = &[
    ("mock-ollama/src/", "dialect"),
    ("mock-ollama/src/", "driver"),
    ("mock-ollama/src/", "engine"),
    ("mock-ollama/src/", "import"),
    ("src/", "sim"),
];

/// The most re-exports that lead from a name to its definition.
const MAX_RE_EXPORTS: usize = 8;

type Path = Vec<String>;

/// One file of a module.
struct Part {
    /// The file's path in the workspace.
    file: String,
    /// The paths that code outside `use` declarations and in private ones mentions.
    uses: Vec<Path>,
    /// What a name stands for here: the path of each `use` declaration, by its last name. `*` has the globs.
    imports: BTreeMap<String, Vec<Path>>,
    /// Names of items that are defined here.
    items: BTreeSet<String>,
}

/// The parts of one module, by their path below it.
struct Module {
    root: Path,
    parts: BTreeMap<Path, Part>,
}

impl Module {
    fn new(files: &[File], sources: &str, root: &str) -> Self {
        let prefix = format!("{sources}{root}");
        let mut parts = BTreeMap::new();
        for file in library_files(files) {
            let Some(inside) = file.path.strip_prefix(&prefix).and_then(|path| path.strip_suffix(".rs")) else {
                continue;
            };
            if !inside.is_empty() && !inside.starts_with('/') {
                continue;
            }
            let path: Path = inside.split('/').filter(|part| !matches!(*part, "" | "mod")).map(str::to_owned).collect();
            parts.insert(path, Part::new(file));
        }
        Self { root: root.split('/').map(str::to_owned).collect(), parts }
    }

    /// The part in which a path, written in the part `from`, ends; `None` outside this module.
    fn part_of(&self, from: &[String], path: &[String], budget: usize) -> Option<&Path> {
        let (mut at, mut rest) = (from.to_vec(), path);
        match rest.first()?.as_str() {
            "crate" => {
                rest = rest[1..].strip_prefix(&self.root[..])?;
                at.clear();
            }
            "super" | "self" => {}
            // A path that begins with a name: a part that is declared here, or something that is imported.
            name if !self.parts.contains_key(&joined(&at, name)) => return None,
            _ => {}
        }
        for (n, name) in rest.iter().enumerate() {
            match name.as_str() {
                "self" => {}
                "super" => {
                    at.pop()?;
                }
                name if self.parts.contains_key(&joined(&at, name)) => at.push(name.to_owned()),
                name => return self.definition(&at, name, &rest[n..], budget),
            }
        }
        self.parts.get_key_value(&at).map(|(path, _)| path)
    }

    /// The part that defines `name`, which the part at `at` has.
    fn definition(&self, at: &Path, name: &str, rest: &[String], budget: usize) -> Option<&Path> {
        let (path, part) = self.parts.get_key_value(at)?;
        if part.items.contains(name) || budget == 0 {
            return Some(path);
        }
        if let Some(import) = part.imports.get(name).and_then(|imports| imports.first()) {
            let whole: Path = import.iter().chain(&rest[1..]).cloned().collect();
            return self.part_of(at, &whole, budget - 1);
        }
        let globs = part.imports.get("*").into_iter().flatten();
        let mut through = globs.filter_map(|glob| self.part_of(at, &glob[..glob.len() - 1], budget - 1));
        through.find(|path| self.parts[*path].items.contains(name)).or(Some(path))
    }

    /// Files that can reach themselves, in groups that reach each other.
    fn circles(&self) -> Vec<BTreeSet<&str>> {
        let uses = |path: &Path, part: &Part| -> BTreeSet<&Path> {
            let uses = part.uses.iter().filter_map(|used| self.part_of(path, used, MAX_RE_EXPORTS));
            uses.filter(|used| *used != path).collect()
        };
        let edges: BTreeMap<&Path, BTreeSet<&Path>> =
            self.parts.iter().map(|(path, part)| (path, uses(path, part))).collect();
        let reach: BTreeMap<&Path, BTreeSet<&Path>> =
            edges.keys().map(|from| (*from, reachable(&edges, from))).collect();
        let mut circles: Vec<BTreeSet<&str>> = Vec::new();
        for (from, reached) in &reach {
            let circle = reached.iter().filter(|other| reach[*other].contains(from));
            let circle: BTreeSet<&str> = circle.map(|path| self.parts[*path].file.as_str()).collect();
            if !circle.is_empty() && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }
}

fn joined(path: &[String], name: &str) -> Path {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

/// What can be reached from a part in one step or more.
fn reachable<'p>(edges: &BTreeMap<&'p Path, BTreeSet<&'p Path>>, from: &'p Path) -> BTreeSet<&'p Path> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(next) = open.pop() {
        open.extend(edges[next].iter().filter(|used| seen.insert(**used)));
    }
    seen
}

impl Part {
    fn new(file: &File) -> Self {
        let code = without_tests(&Source::new(&file.text).code);
        let (mut uses, mut imports, mut rest) = (Vec::new(), BTreeMap::new(), String::new());
        let mut at = 0;
        while let Some((begin, end, public)) = next_use(&code, at) {
            rest.push_str(&code[at..begin]);
            let mut paths = Vec::new();
            tree(&code[begin..end], &[], &mut paths);
            for (path, name) in paths {
                imports.entry(name).or_insert_with(Vec::new).push(path.clone());
                if !public {
                    uses.push(path);
                }
            }
            at = end;
        }
        rest.push_str(&code[at..]);
        uses.extend(mentioned(&rest));
        Self { file: file.path.clone(), uses, imports, items: items(&rest) }
    }
}

/// The tree of the next `use` declaration behind `from`, without `use` and `;`, and whether it is public.
fn next_use(code: &str, from: usize) -> Option<(usize, usize, bool)> {
    let at = crate::source::occurrences(&code[from..], "use ").next()? + from;
    let end = at + code[at..].find(';')?;
    let line = code[..at].rfind('\n').map_or(0, |newline| newline + 1);
    Some((at + "use ".len(), end, code[line..at].trim_start().starts_with("pub")))
}

/// The paths of a `use` tree, each with the name under which it is imported.
fn tree(text: &str, prefix: &[String], paths: &mut Vec<(Path, String)>) {
    let text = text.trim();
    if let Some((front, group)) = text.split_once('{').filter(|(front, _)| !front.contains(',')) {
        let names = front.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        let prefix: Path = prefix.iter().cloned().chain(names).collect();
        let (mut depth, mut begin) = (0_usize, 0);
        let group = group.trim_end().strip_suffix('}').unwrap_or(group);
        for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    tree(&group[begin..at], &prefix, paths);
                    begin = at + 1;
                }
                _ => {}
            }
        }
    } else if !text.is_empty() {
        let (path, name) = text.split_once(" as ").map_or((text, None), |(path, name)| (path, Some(name.trim())));
        let mut path: Path =
            prefix.iter().cloned().chain(path.split("::").map(|name| name.trim().to_owned())).collect();
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        let name = name.or(path.last().map(String::as_str)).unwrap_or_default().to_owned();
        paths.push((path, name));
    }
}

/// Paths of at least two names in code without `use` declarations.
fn mentioned(code: &str) -> Vec<Path> {
    let mut paths = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("::") {
        let begin = rest[..at].rfind(|c: char| !is_word(c)).map_or(0, |n| n + 1);
        let end = at + rest[at..].find(|c: char| !is_word(c) && c != ':').unwrap_or(rest.len() - at);
        let path: Path = rest[begin..end].split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if path.len() > 1 {
            paths.push(path);
        }
        rest = &rest[end.max(at + 2)..];
    }
    paths
}

/// The names of items that are defined in a file.
fn items(code: &str) -> BTreeSet<String> {
    let words: Vec<&str> = code.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).collect();
    let kinds = ["struct", "enum", "trait", "fn", "const", "static", "type"];
    words.windows(2).filter(|pair| kinds.contains(&pair[0])).map(|pair| pair[1].to_owned()).collect()
}

fn check(files: &[File]) -> Vec<Finding> {
    let modules = MODULES.iter().map(|(sources, root)| (format!("{sources}{root}"), Module::new(files, sources, root)));
    let circles = modules.flat_map(|(folder, module)| {
        let circles = module.circles();
        let shown = |circle: &BTreeSet<&str>| {
            let names: Vec<&str> = circle.iter().map(|file| file.strip_prefix(&folder).unwrap_or(file)).collect();
            Finding::new(&folder, 0, format!("{} files use each other in a circle: {}", names.len(), names.join(" ")))
        };
        circles.iter().map(shown).collect::<Vec<_>>()
    });
    circles.collect()
}

#[test]
fn no_files_inside_a_module_use_each_other_in_a_circle() {
    crate::assert_tidy(&check(&crate::workspace::files()));
}

#[test]
fn every_module_that_is_checked_exists() {
    let files = crate::workspace::files();
    for (sources, root) in MODULES {
        assert!(Module::new(&files, sources, root).parts.len() > 1, "{sources}{root}");
    }
}

/// The parts of `engine`, by their names below it.
fn circles(parts: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<File> =
        parts.iter().map(|(name, text)| File::new(&format!("mock-ollama/src/engine/{name}.rs"), text)).collect();
    check(&files).into_iter().map(|finding| finding.what).collect()
}

#[test]
fn control_a_circle_is_found_however_its_paths_are_written() {
    let circles_of_a_and_b = [
        [("a", "use super::b::B;"), ("b", "use super::a::A;")],
        [("a", "use crate::engine::{b::B, c};"), ("b", "fn f() { super::a::g() }")],
        [("a", "use crate::{\n    clock::Instant,\n    engine::b::{self, B},\n};"), ("b", "impl super::a::A for B {}")],
        [("mod", "mod b;\nuse b::B;"), ("b", "use super::X;")],
        [("mod", "mod b;\nfn f() { b::g() }"), ("b/mod", "fn g() { crate::engine::f() }")],
        [("b/mod", "mod c;\nfn f() { c::g() }"), ("b/c", "use super::X;\nfn g() {}")],
    ];
    for parts in circles_of_a_and_b {
        let found = circles(&parts);
        assert!(found.len() == 1 && found[0].starts_with("2 files"), "{parts:?}: {found:?}");
    }
}

#[test]
fn control_a_circle_through_a_re_export_is_found() {
    let found = circles(&[
        ("mod", "pub(crate) use c::C;\npub use b::*;"),
        ("a", "use super::C;"),
        ("b", "pub struct B;\nuse super::a::A;"),
        ("c", "use super::B;\npub struct C;"),
    ]);
    assert_eq!(found, ["3 files use each other in a circle: /a.rs /b.rs /c.rs"]);
}

#[test]
fn downward_use_re_exports_and_tests_make_no_circle() {
    let found = circles(&[
        ("mod", "pub(crate) mod a;\npub(crate) use a::A;\nuse b::B;\n"),
        ("a", "use crate::clock::Instant;\npub(crate) struct A;"),
        ("b", "use super::A;\n#[cfg(test)]\nmod tests {\n    use super::super::f;\n}\n"),
        ("b/tests", "use super::super::f;"),
    ]);
    assert_eq!(found, [""; 0]);
}
