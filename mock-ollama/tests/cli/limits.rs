//! A server of its own process with more clients than it may serve, and with clients that do nothing.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const BODY: &str = r#"{"model":"any","prompt":"hi"}"#;

struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(flags: &[&str]) -> Server {
    serve_with(Command::new(env!("CARGO_BIN_EXE_mock-ollama")), flags)
}

fn serve_with(mut command: Command, flags: &[&str]) -> Server {
    command.args(["serve", "--listen", "127.0.0.1:0", "--match", "any"]).args(flags);
    if !flags.contains(&"--pace") {
        command.args(["--pace", "instant"]);
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let addr = line.trim_end().strip_prefix("listening on http://").unwrap().parse().unwrap();
    Server { child, addr }
}

impl Server {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn ask(&self) -> String {
        answer(self.connect())
    }

    /// Resident memory, in kilobytes.
    #[cfg(target_os = "linux")]
    fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// Asks on a connection that is used once.
fn answer(mut stream: TcpStream) -> String {
    // Who has been told to go away may not listen any more.
    let _ = write!(
        stream,
        "POST /api/generate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn above_the_limit_clients_are_told_so_and_below_it_they_are_served_again() {
    let server = serve(&["--max-connections", "3"]);
    let mut held: Vec<TcpStream> = (0..3).map(|_| server.connect()).collect();
    for stream in &mut held {
        // Each of the three is known to be served before the fourth comes.
        write!(stream, "GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    for _ in 0..50 {
        assert!(server.ask().starts_with("HTTP/1.1 503 Service Unavailable"));
    }
    drop(held);
    // The server learns of it in its own time.
    assert!((0..1_000).any(|_| server.ask().starts_with("HTTP/1.1 200 OK")));
}

/// More clients than descriptors, and no limit of connections that would keep them apart.
#[cfg(target_os = "linux")]
#[test]
fn out_of_descriptors_it_serves_on_and_accepts_when_there_is_room() {
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 40 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_mock-ollama")]);
    let server = serve_with(few, &["--max-connections", "1000"]);
    let mut first = server.connect();
    let asks_again = |stream: &mut TcpStream| {
        write!(stream, "GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut begin = [0; 12];
        stream.read_exact(&mut begin).unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200");
        BufReader::new(stream).read_until(b'}', &mut Vec::new()).unwrap();
    };
    asks_again(&mut first);
    // The kernel takes them all; the server has room for a few.
    let crowd: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
    asks_again(&mut first);
    drop(crowd);
    asks_again(&mut first);
    assert!(server.ask().contains("\"done\":true"));
}

#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_idle_connections_cost_little_and_hold_up_nobody() {
    mock_ollama::driver::raise_descriptor_limit();
    let server = serve(&[]);
    server.ask();
    let before = server.resident_kb();
    let mut idle = Vec::new();
    while idle.len() < 10_000 {
        let Ok(stream) = TcpStream::connect(server.addr) else {
            println!("this process may hold {} connections", idle.len());
            break;
        };
        idle.push(stream);
    }
    assert!(server.ask().contains("\"done\":true"));
    let (held, grown) = (idle.len() as u64, server.resident_kb().saturating_sub(before));
    assert!(grown < 4 * held, "{grown} kB for {held} idle connections");
}

/// The first token of each is there; the next is an hour away.
#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_live_streams_on_one_thread_cost_little_and_another_is_answered() {
    mock_ollama::driver::raise_descriptor_limit();
    let server = serve(&["--pace", "ttft=0s,gap=3600s"]);
    let request =
        format!("POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
    let open = || -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect(server.addr)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut first = [0; 12];
        stream.read_exact(&mut first)?;
        assert_eq!(&first, b"HTTP/1.1 200");
        Ok(stream)
    };
    let mut live = vec![open().unwrap()];
    let before = server.resident_kb();
    while live.len() < 10_000 {
        let Ok(stream) = open() else {
            println!("this process may hold {} connections", live.len());
            break;
        };
        live.push(stream);
    }
    let (held, grown) = (live.len() as u64, server.resident_kb().saturating_sub(before));
    drop(live.pop());
    open().unwrap();
    assert!(grown < 12 * held, "{grown} kB for {held} live streams");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_stays_flat_over_many_requests() {
    let server = serve(&[]);
    let ask = |stream: &mut TcpStream, times: usize| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        for _ in 0..times {
            write!(stream, "GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            // The body is the one object of the answer.
            reader.read_until(b'}', &mut Vec::new()).unwrap();
        }
    };
    let mut stream = server.connect();
    ask(&mut stream, 5_000);
    let before = server.resident_kb();
    ask(&mut stream, 20_000);
    let grown = server.resident_kb().saturating_sub(before);
    assert!(grown < 512, "{grown} kB more after twenty thousand requests");
}

/// Answers for a client that never reads wait in the recording, not in memory of their own.
#[cfg(target_os = "linux")]
#[test]
fn clients_that_never_read_cost_little() {
    let server = serve(&[]);
    server.ask();
    let before = server.resident_kb();
    let request =
        format!("POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
    let mut deaf: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
    for stream in &mut deaf {
        stream.write_all(request.repeat(200).as_bytes()).unwrap();
    }
    assert!(server.ask().contains("\"done\":true"));
    let each = server.resident_kb().saturating_sub(before) / 100;
    assert!(each < 512, "{each} kB for each client that does not read");
}
