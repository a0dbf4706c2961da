//! One connection.

use std::net::TcpStream;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// The longest request, in bytes.
const MAX_REQUEST: usize = 64 * 1024;

/// The most fields of a request's head.
const MAX_FIELDS: usize = 64;

/// The size of one read.
const READ_BYTES: usize = 4096;

/// The outcome of reading or sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IoOutcome {
    /// There is nothing to do until something happens.
    Idle,
    /// A request is complete; or what was to be sent has been sent.
    Ready,
    /// The socket takes no more for now.
    Full,
    /// The connection is of no use any more.
    Gone,
}

/// A connection and where its answer is.
#[derive(Debug)]
pub(super) struct RawConn {
    pub(super) socket: TcpStream,
    /// What has come of the next request.
    inbox: Vec<u8>,
    /// Whether a request is being answered.
    pub(super) busy: bool,
    /// The next frame to send, and how much of it has been sent.
    pub(super) frame: usize,
    sent: usize,
    /// When the request was complete.
    pub(super) asked: i64,
}

impl RawConn {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self { socket, inbox: Vec::new(), busy: false, frame: 0, sent: 0, asked: 0 }
    }

    /// Reads once. `Ready`: a request is complete, and nothing of its answer has been sent.
    pub(super) fn read(&mut self) -> IoOutcome {
        let mut buffer = [0; READ_BYTES];
        match recv(&self.socket, &mut buffer[..], RecvFlags::empty()) {
            Ok((_, 0)) => return IoOutcome::Gone,
            Ok((_, n)) => self.inbox.extend_from_slice(&buffer[..n]),
            Err(Errno::AGAIN | Errno::INTR) => return IoOutcome::Idle,
            Err(_) => return IoOutcome::Gone,
        }
        match request_length(&self.inbox) {
            // A request before the answer is complete is never answered: no client here sends one.
            Some(length) if self.inbox.len() >= length && !self.busy => {
                self.inbox.drain(..length);
                (self.busy, self.frame, self.sent) = (true, 0, 0);
                IoOutcome::Ready
            }
            Some(_) if self.inbox.len() < MAX_REQUEST => IoOutcome::Idle,
            _ => IoOutcome::Gone,
        }
    }

    /// Sends up to the frame `until`, exclusively, as far as the socket takes it; one send for each frame.
    pub(super) fn send(&mut self, frames: &[Vec<u8>], until: usize) -> IoOutcome {
        while self.frame < until {
            let rest = &frames[self.frame][self.sent..];
            match send(&self.socket, rest, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(n) if n == rest.len() => (self.frame, self.sent) = (self.frame + 1, 0),
                Ok(n) => self.sent += n,
                Err(Errno::AGAIN) => return IoOutcome::Full,
                Err(Errno::INTR) => {}
                Err(_) => return IoOutcome::Gone,
            }
        }
        self.busy = self.frame < frames.len();
        IoOutcome::Ready
    }
}

/// How long the first request in `bytes` is with its body; `None` where that is no request. Its head may be incomplete: then
/// it is longer than what there is.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(head) = request.parse(bytes).ok()? else { return Some(bytes.len() + 1) };
    let length = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
    let Some(length) = length else { return Some(head) };
    std::str::from_utf8(length.value).ok()?.trim().parse::<usize>().ok()?.checked_add(head)
}

#[cfg(test)]
mod tests {
    use super::request_length;

    #[test]
    fn a_request_is_as_long_as_its_head_and_the_length_it_states() {
        let request = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(request_length(request), Some(request.len()));
        assert_eq!(request_length(b"GET / HTTP/1.1\r\n\r\n"), Some(18));
        assert_eq!(request_length(&request[..20]), Some(21));
        assert_eq!(request_length(b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), None);
        assert_eq!(request_length(b"\0"), None);
    }
}
