//! A client that is under test: a bare socket, which reads to the end.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// Sends a question, and returns the head and the body of the answer.
pub fn ask(server: SocketAddr, path: &str, question: &str) -> io::Result<(String, String)> {
    let mut socket = TcpStream::connect(server)?;
    write!(socket, "POST {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{question}", question.len())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok((head.to_owned(), body.to_owned()))
}
