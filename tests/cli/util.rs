//! A folder to run the program in, and how a run ended.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use runtime_lab::report::Report;
use runtime_lab::variant::Variant;
use tempfile::TempDir;

/// The first variant that is compiled in, for tests to which one is like the other.
pub(crate) fn some_variant() -> &'static str {
    Variant::ALL[0].name()
}

/// A folder to run the program in, gone when this is dropped.
pub(crate) struct Workspace(TempDir);

impl Workspace {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts a file there, and the folders that lead to it.
    pub(crate) fn put(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn report(&self, folder: &str) -> Report {
        serde_json::from_str(&self.read(&format!("{folder}/report.json"))).unwrap()
    }

    /// Every file there with its content, and every folder, by path.
    pub(crate) fn content(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                found.insert(path.clone(), fs::read(path).ok());
            }
        }
        found
    }

    /// The program with these arguments, as a shell that is not a terminal starts it here.
    pub(crate) fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runtime-lab"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null()).env_remove("COLUMNS");
        command
    }

    pub(crate) fn lab(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Finished {
        self.command(args).output().expect("the executable starts").into()
    }

    /// The least run there is, with more arguments; its report is in `out` unless they say otherwise.
    pub(crate) fn least_run(&self, more: &[&str]) -> Finished {
        let mut args = vec!["run"];
        let unless = |args: &mut Vec<_>, flag, value| {
            if !more.contains(&flag) {
                args.extend([flag, value]);
            }
        };
        unless(&mut args, "--runs", "1");
        unless(&mut args, "--variant", some_variant());
        unless(&mut args, "--pace", "x50");
        unless(&mut args, "--workload", "solo");
        unless(&mut args, "--out", "out");
        args.extend(more);
        self.lab(args)
    }
}

/// The output of a program, and how it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Absent where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Finished {
    /// Fails, showing what it said, unless it ended with this code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// A file of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
