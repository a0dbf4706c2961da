//! Standard output, where the reader may leave before the end.

use std::io::{ErrorKind, Write as _};

use super::exit::{Error, Failure};

/// Writes to standard output; a reader that has gone away has read enough.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::io(Error::Stdout(error))),
        _ => Ok(()),
    }
}
