//! Recorders, and what is said to them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use mock_ollama::http::Origins;
use mock_ollama::record::{Recorder, RecorderConfig};
use mock_ollama::recording::{Recording, read_file};
use mock_ollama::scrub::Scrub;

pub(crate) const CHAT: &str = r#"{"model":"tiny","messages":[{"role":"user","content":"is it sk-xyz9?"}]}"#;

/// What was complained of, by all recorders of this process.
pub(crate) static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

pub(crate) fn recorder(upstream: &str, out: &Path, patterns: &[&str]) -> Recorder {
    Recorder::start(RecorderConfig {
        upstream: upstream.parse().unwrap(),
        out: out.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        origins: Origins::default(),
        scrub: Scrub::new(patterns.iter().copied()).unwrap(),
        complain: |line| SAID.lock().unwrap().push(line.to_owned()),
    })
    .unwrap()
}

/// Whether a recorder complained of something with all these words.
pub(crate) fn was_said(words: &[&str]) -> bool {
    SAID.lock().unwrap().iter().any(|line| words.iter().all(|word| line.contains(word)))
}

pub(crate) fn request(path: &str, fields: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// What a client gets that sends this and reads to the end.
pub(crate) fn exchange(addr: SocketAddr, request: &str) -> String {
    let mut client = client(addr, request);
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// A client that has sent this.
pub(crate) fn client(addr: SocketAddr, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(addr).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    client
}

/// The recordings of a folder, by name.
pub(crate) fn recordings(folder: &Path) -> Vec<Recording> {
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| read_file(path).unwrap()).collect()
}

/// An upstream of plain sockets: `serve` gets each of its connections. Its URL.
pub(crate) fn plain_upstream(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(|stream| serve(stream.unwrap())));
    url
}

/// Reads a whole request off a connection.
pub(crate) fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut parser = mock_ollama::http::Parser::default();
    let mut buffer = vec![0; 65536];
    loop {
        match parser.parse_next().unwrap() {
            mock_ollama::http::Parsed::Request(request) => return request.body,
            _ => match stream.read(&mut buffer).unwrap() {
                0 => return Vec::new(),
                read => parser.push(&buffer[..read]),
            },
        }
    }
}

/// An upstream that answers each request with these bytes and closes.
pub(crate) fn saying(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    plain_upstream(move |mut stream| {
        read_request(&mut stream);
        // A client that has left gets no answer.
        let _ = stream.write_all(&answer);
    })
}

/// An answer in chunks.
pub(crate) fn chunked(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut answer =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in chunks {
        mock_ollama::http::encode_chunk(&mut answer, chunk);
    }
    answer.extend_from_slice(mock_ollama::http::LAST_CHUNK);
    answer
}
