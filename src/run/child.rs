//! Starting, limiting and ending a child process.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::RunError;

/// The time that a child may take to print its first line, and to end once it is asked to.
const CHILD_RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

/// A child process of this program. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct ChildProcess {
    child: Child,
    /// Held open: a child whose standard input ends is to end as well.
    stdin: Option<ChildStdin>,
    /// The lines of its standard output; closed when it ends.
    lines: Receiver<String>,
    /// Those of its standard error.
    complaints: Receiver<String>,
    purpose: String,
}

impl ChildProcess {
    /// Starts this program with these arguments; `purpose` says in errors what it was to do.
    pub(crate) fn start(
        program: &Path,
        purpose: &str,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Self, RunError> {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(RunError::Spawn)?;
        let (lines, complaints) = (lines_of(child.stdout.take()), lines_of(child.stderr.take()));
        Ok(Self { stdin: child.stdin.take(), child, lines, complaints, purpose: purpose.to_owned() })
    }

    /// Returns the first line that it prints.
    pub(crate) fn first_line(&mut self) -> Result<String, RunError> {
        match self.lines.recv_timeout(CHILD_RESPONSE_TIMEOUT) {
            Ok(line) => Ok(line),
            Err(_) => Err(self.failure("it printed nothing")),
        }
    }

    /// Asks it to end by closing its input, and waits for that.
    pub(crate) fn end(mut self) -> Result<(), RunError> {
        self.stdin = None;
        self.finish(CHILD_RESPONSE_TIMEOUT)
    }

    /// Waits until it has ended, at most `limit`.
    pub(crate) fn finish(&mut self, limit: Duration) -> Result<(), RunError> {
        // Its standard output ends when it does.
        loop {
            match self.lines.recv_timeout(limit) {
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    return Err(self.failure(&format!("it was not done within {} s", limit.as_secs())));
                }
            }
        }
        let status = self.child.wait().map_err(RunError::Spawn)?;
        if status.success() { Ok(()) } else { Err(self.failure(&ended(status))) }
    }

    /// Returns the error of a child that failed, in its own words where it has any.
    fn failure(&mut self, otherwise: &str) -> RunError {
        self.kill();
        let complaints = std::iter::from_fn(|| self.complaints.recv_timeout(CHILD_RESPONSE_TIMEOUT).ok());
        let last = complaints.filter(|line| !line.trim().is_empty()).last();
        let why = last.as_deref().map_or(otherwise, |line| line.trim().trim_start_matches("error: "));
        RunError::Child { purpose: self.purpose.clone(), why: why.to_owned() }
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads the lines of a pipe on a separate thread, so that a child never waits for its parent.
fn lines_of(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    // Who asks for no more lines has dropped the receiver.
    std::thread::spawn(move || {
        let mut lines = pipe.into_iter().flat_map(|pipe| BufReader::new(pipe).lines()).map_while(Result::ok);
        lines.try_for_each(|line| sender.send(line))
    });
    lines
}

fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("it ended with exit code {code}"),
        None => "it was killed".to_owned(),
    }
}
