//! One request and its response on their way through.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::folder::Folder;
use super::note::{Note, not_recorded};
use super::upstream::UpstreamUrl;
use crate::clock::Clock;
use crate::dialect::error_body;
use crate::driver::Monotonic;
use crate::http::{CONTINUE, Parsed, Parser, Received, Request, RequestHead, Upstream, Version};
use crate::recording::End;
use crate::scrub::Scrub;

/// How long an upstream may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// Request fields that do not go on: those that are for one connection alone, and what would have the answer compressed.
const NOT_FORWARDED: &[&str] =
    &["host", "connection", "keep-alive", "transfer-encoding", "content-length", "expect", "accept-encoding"];

/// What every exchange needs.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) upstream: UpstreamUrl,
    pub(super) folder: Folder,
    pub(super) scrub: Scrub,
    /// Where it is said what was not recorded.
    pub(super) complain: fn(&str),
}

/// Serves one connection: one exchange, after which it is closed.
pub(super) fn serve(mut client: TcpStream, setting: &Setting) -> io::Result<()> {
    client.set_nodelay(true)?;
    let Some(request) = read_request(&mut client)? else { return Ok(()) };
    let mut upstream = match send(&request, &setting.upstream) {
        Ok(upstream) => upstream,
        Err(error) => return refuse(&mut client, &format!("cannot reach {}: {error}", setting.upstream)),
    };
    let note = Note::of(&request.head, &request.body, Monotonic.now());
    let watch = Watch::start(&client, &upstream)?;
    let ended = relay(&mut client, &mut upstream, &request.head.method, note, &watch);
    // The client first: it need not wait for the file.
    let _ = client.shutdown(Shutdown::Both);
    let _ = upstream.shutdown(Shutdown::Both);
    let recorded = ended.and_then(|(note, end)| match note.finish(end, &setting.scrub)? {
        Some(recording) => setting.folder.write(recording).map_err(|error| error.to_string()).map(drop),
        None => Ok(()),
    });
    if let Err(why) = recorded {
        (setting.complain)(&not_recorded(&request.head, &why, &setting.scrub));
    }
    Ok(())
}

/// Connects to the upstream and hands it the request.
fn send(request: &Request, url: &UpstreamUrl) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for addr in url.authority.to_socket_addrs()? {
        match TcpStream::connect_timeout(&addr, CONNECT_TIMEOUT) {
            Ok(mut upstream) => {
                upstream.set_nodelay(true)?;
                upstream.write_all(&forwarded(request, url))?;
                return Ok(upstream);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn read_request(client: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut parser = Parser::default();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match parser.parse_next() {
            Ok(Parsed::Request(request)) => return Ok(Some(*request)),
            Ok(Parsed::Continue) => client.write_all(CONTINUE)?,
            Ok(Parsed::Incomplete) => match client.read(&mut buffer)? {
                0 => return Ok(None),
                read => parser.push(&buffer[..read]),
            },
            Err(error) => {
                client.write_all(&error.response())?;
                return Ok(None);
            }
        }
    }
}

/// The request as it goes on: what is for one connection alone is made anew.
fn forwarded(request: &Request, upstream: &UpstreamUrl) -> Vec<u8> {
    let RequestHead { method, target, headers, .. } = &request.head;
    let version = if request.head.version == Version::Http10 { "HTTP/1.0" } else { "HTTP/1.1" };
    let mut out = format!("{method} {target} {version}\r\nHost: {}\r\nConnection: close\r\n", upstream.authority);
    for (name, value) in headers {
        if !NOT_FORWARDED.contains(&name.to_ascii_lowercase().as_str()) {
            for part in [name.as_str(), ": ", value, "\r\n"] {
                out.push_str(part);
            }
        }
    }
    if !request.body.is_empty() || matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        out.push_str("Content-Length: ");
        out.push_str(&request.body.len().to_string());
        out.push_str("\r\n");
    }
    let mut out = (out + "\r\n").into_bytes();
    out.extend_from_slice(&request.body);
    out
}

fn refuse(client: &mut TcpStream, why: &str) -> io::Result<()> {
    let body = error_body(&format!("mock-ollama record: {why}"));
    let fields = format!("Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    client.write_all(format!("HTTP/1.1 502 Bad Gateway\r\n{fields}\r\n{body}").as_bytes())
}

/// Notices that the client hangs up while the upstream says nothing, and then ends the upstream connection.
struct Watch(Arc<AtomicBool>);

impl Watch {
    fn start(client: &TcpStream, upstream: &TcpStream) -> io::Result<Self> {
        let (mut client, upstream) = (client.try_clone()?, upstream.try_clone()?);
        let left = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&left);
        std::thread::Builder::new().name("record-watch".to_owned()).spawn(move || {
            let mut buffer = [0; 1024];
            // What a client sends after its request is dropped: its connection is closed after the answer.
            while matches!(client.read(&mut buffer), Ok(read) if read > 0) {}
            seen.store(true, Ordering::SeqCst);
            let _ = upstream.shutdown(Shutdown::Both);
        })?;
        Ok(Self(left))
    }

    fn client_left(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Passes the response on, and notes it; an error says why nothing is to be recorded.
fn relay(
    client: &mut TcpStream,
    upstream: &mut TcpStream,
    method: &str,
    mut note: Result<Note, String>,
    watch: &Watch,
) -> Result<(Note, End), String> {
    let mut response = Upstream::new(method);
    let mut buffer = vec![0; READ_BYTES];
    let end = loop {
        let read = match upstream.read(&mut buffer) {
            Ok(0) if watch.client_left() => break End::ClientClosed,
            Ok(0) => break if response.finish() { End::Clean } else { End::Eof },
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) if watch.client_left() => break End::ClientClosed,
            Err(_) => break End::Reset,
        };
        let arrived = Monotonic.now();
        if client.write_all(&buffer[..read]).is_err() {
            break End::ClientClosed;
        }
        let received = match response.push(&buffer[..read]) {
            Ok(received) => received,
            Err(error) => {
                note = Err(error.to_string());
                Vec::new()
            }
        };
        for received in received {
            match (&mut note, received) {
                (Ok(note), Received::Head { status, fields }) => note.head(status, fields),
                (Ok(note), Received::Chunk(bytes)) => note.chunk(bytes, arrived),
                (Ok(_), Received::End) | (Err(_), _) => {}
            }
        }
        if response.is_done() {
            break End::Clean;
        }
    };
    note.map(|note| (note, end))
}
