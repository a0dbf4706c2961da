//! Wrong ways to read a body.

use mock_ollama::clock::Instant;

use crate::clients::{Reading, Strict};
use crate::ndjson::{Final, Framer, LineTooLong, Object, StreamError};
use crate::transcript::{ExchangeLog, LineArrival};

/// Decodes each piece on its own before lines are built: half a character becomes U+FFFD.
#[derive(Debug, Default)]
pub(super) struct LossyUtf8(Strict);

impl Reading for LossyUtf8 {
    fn piece(&mut self, piece: &[u8], at: Instant, log: &mut ExchangeLog) {
        self.0.piece(String::from_utf8_lossy(piece).as_bytes(), at, log);
    }

    fn finish(self, at: Instant, log: &mut ExchangeLog) -> Result<Final, StreamError> {
        self.0.finish(at, log)
    }
}

/// Skips every line that is wrong, and takes any end for a success.
#[derive(Debug, Default)]
pub(super) struct IgnoresMissingDone {
    framer: Framer,
    last: Final,
}

impl Reading for IgnoresMissingDone {
    fn piece(&mut self, piece: &[u8], at: Instant, log: &mut ExchangeLog) {
        log.body.extend_from_slice(piece);
        let last = &mut self.last;
        let _: Result<(), LineTooLong> = self.framer.push(piece, |line| {
            if let Ok(object) = Object::parse(line.bytes, 0) {
                log.lines.push(LineArrival { at, body_end: line.body_end, token: object.token });
                if object.done {
                    *last = Final { eval_count: object.eval_count, done_reason: object.done_reason };
                }
            }
            Ok(())
        });
    }

    fn finish(self, _at: Instant, _log: &mut ExchangeLog) -> Result<Final, StreamError> {
        Ok(self.last)
    }
}
