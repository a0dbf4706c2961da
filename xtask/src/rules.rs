//! `cargo xtask rules`: shows that tests of the wire fail when their rule is switched off.
//!
//! For each row of the table below one line of the server is changed in a copy of the workspace's sources, and the tests
//! that carry the number of the rule are run there: they must fail, by a failed test and not by a build that breaks.
//! The sources themselves are never touched. With `--each` the rules are switched off one by one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::cargo::{self, root};
use crate::process::output;

/// A rule, and how it is switched off.
struct Rule {
    /// Its number, as tests bear it.
    number: &'static str,
    /// What happens instead.
    off: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

/// The folders and files that the copy is made of.
const SOURCES: &[&str] =
    &["Cargo.toml", "Cargo.lock", "mock-ollama", "fixtures", "src", "tools", "examples", "xtask", "clippy.toml"];

const RULES: &[Rule] = &[
    Rule {
        number: "w_011",
        off: "bodies have a length up to 4096 bytes",
        file: "catalog/prepared.rs",
        from: "const MAX_LENGTH_BODY: usize = 2048;",
        to: "const MAX_LENGTH_BODY: usize = 4096;",
    },
    Rule {
        number: "w_014",
        off: "any origin may call",
        file: "http/gate.rs",
        from: "CorsVerdict::Forbidden => return refuse(403, fields),",
        to: "CorsVerdict::Forbidden => {}",
    },
    Rule {
        number: "w_018",
        off: "any host is believed",
        file: "http/gate.rs",
        from: "HostVerdict::Forbidden => return refuse(403, fields),",
        to: "HostVerdict::Forbidden => {}",
    },
    Rule {
        number: "w_019",
        off: "tags leave as they are",
        file: "go_json/encode.rs",
        from: r"while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}'])",
        to: r"while let Some(at) = rest.find(['\u{2028}', '\u{2029}'])",
    },
    Rule {
        number: "w_036",
        off: "raw answers have a context",
        file: "engine/live.rs",
        from: "ask.dialect == Dialect::Generate && !ask.raw",
        to: "ask.dialect == Dialect::Generate",
    },
    Rule {
        number: "w_040",
        off: "the evaluation is counted from the request",
        file: "engine/live.rs",
        from: "positive(end.saturating_sub(prompt_end))",
        to: "positive(end)",
    },
    Rule {
        number: "w_059",
        off: "the error of a stream is no line",
        file: "dialect/native/render.rs",
        from: r#"(error_body(text) + "\n")"#,
        to: "error_body(text)",
    },
    Rule {
        number: "w_074",
        off: "a request's keep-alive is forgotten when it ends",
        file: "models/runners.rs",
        from: "runner.expires = Some(now.saturating_add(length(runner.keep_alive)));",
        to: "runner.expires = Some(now.saturating_add(length(KeepAlive::DEFAULT)));",
    },
    Rule {
        number: "w_090",
        off: "every chunk has a role",
        file: "dialect/openai/render_chat.rs",
        from: r#"(!std::mem::replace(&mut self.role_sent, true)).then_some("assistant")"#,
        to: r#"{ self.role_sent = true; Some("assistant") }"#,
    },
    Rule {
        number: "w_098",
        off: "coded floats are big-endian",
        file: "dialect/embed/reply.rs",
        from: "value.to_le_bytes()",
        to: "value.to_be_bytes()",
    },
    Rule {
        number: "w_101",
        off: "the keys of events keep the order of structs",
        file: "dialect/responses/render.rs",
        from: "data.sort_all_objects();",
        to: "",
    },
    Rule {
        number: "w_105",
        off: "503 is an error of the API",
        file: "dialect/messages/refuse.rs",
        from: "503 | 529 =>",
        to: "529 =>",
    },
];

/// Switches off all rules at once, which takes one build; or each in turn, with a build for each.
pub(crate) fn run(each: bool) -> anyhow::Result<()> {
    let copy = root().join("target/rules");
    if copy.exists() {
        fs::remove_dir_all(&copy).context("cannot clear target/rules")?;
    }
    for source in SOURCES {
        copy_all(&root().join(source), &copy.join(source))?;
    }
    if each {
        ensure!(Ran::tests(&copy, "w_")?.passed, "the rules' tests fail before anything is switched off");
        for rule in RULES {
            let (path, text) = rule.switch_off(&copy)?;
            rule.ensure_noticed(&copy)?;
            fs::write(path, text)?;
        }
    } else {
        for rule in RULES {
            rule.switch_off(&copy)?;
        }
        // The control: what fails, fails by its rule, since tests of other rules pass in the same build.
        ensure!(Ran::tests(&copy, "w_")?.some_passed, "every test fails: the copy is broken");
        for rule in RULES {
            rule.ensure_noticed(&copy)?;
        }
    }
    println!("{} rules were switched off; the tests of each noticed", RULES.len());
    Ok(())
}

impl Rule {
    /// Changes the copy; returns the file and its text before that.
    fn switch_off(&self, copy: &Path) -> anyhow::Result<(PathBuf, String)> {
        let path = copy.join("mock-ollama/src").join(self.file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(text.matches(self.from).count() == 1, "{}: `{}` does not occur once", self.file, self.from);
        fs::write(&path, text.replace(self.from, self.to))?;
        Ok((path, text))
    }

    fn ensure_noticed(&self, copy: &Path) -> anyhow::Result<()> {
        let Self { number, off, .. } = self;
        ensure!(!Ran::tests(copy, number)?.passed, "{number} ({off}): its tests pass although the rule is off");
        println!("{number}: fails when {off}");
        Ok(())
    }
}

/// What tests of the wire came to.
struct Ran {
    passed: bool,
    some_passed: bool,
}

impl Ran {
    /// Runs the tests whose names contain `name`; an error when they do not build or there are none.
    fn tests(copy: &Path, name: &str) -> anyhow::Result<Self> {
        let cargo = |arguments: &[&str]| {
            let mut command = cargo::command(arguments);
            // What the workspace depends on is built there already.
            command.current_dir(copy).env("CARGO_TARGET_DIR", root().join("target"));
            command
        };
        let test = ["test", "--quiet", "--locked", "--package", "mock-ollama", "--test", "wire"];
        output(&mut cargo(&[&test[..], &["--no-run"]].concat())).context("the copy does not build")?;
        let ran = cargo(&[&test[..], &["--", name]].concat()).output().context("cannot run cargo")?;
        let printed = String::from_utf8_lossy(&ran.stdout);
        ensure!(!printed.contains("running 0 tests"), "no test is called {name}");
        let some_passed = !printed.contains(" 0 passed");
        Ok(Self { passed: ran.status.success(), some_passed })
    }
}

fn copy_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
            let entry = entry?;
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
