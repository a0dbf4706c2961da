//! Waits for what a server reaches, without any runtime.

use std::future::Future;
use std::io::Write as _;
use std::net::TcpStream;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use mock_ollama::{MockOllama, Pace};

/// Longer than anything here takes on a busy host.
const PATIENCE: Duration = Duration::from_secs(20);

/// Wakes the thread that polls.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The least executor: this thread, which sleeps until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    let (waker, mut future) = (Waker::from(Arc::new(Unpark(thread::current()))), pin!(future));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn stepped() -> MockOllama {
    MockOllama::builder().says("tiny", ["Hi"]).pace(Pace::stepped()).start().unwrap()
}

fn ask(server: &MockOllama) -> TcpStream {
    let body = r#"{"model":"tiny","prompt":"hello"}"#;
    let mut client = TcpStream::connect(server.addr()).unwrap();
    write!(client, "POST /api/generate HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    client
}

#[test]
fn a_future_is_woken_when_its_goal_is_reached() {
    let server = stepped();
    let wait = server.in_flight(1).within(PATIENCE);
    let _client = ask(&server);
    block_on(wait).unwrap();
}

#[test]
fn a_goal_that_is_reached_already_is_no_wait() {
    let server = stepped();
    block_on(server.idle()).unwrap();
    server.requests(0).wait().unwrap();
    server.in_flight(0).wait().unwrap();
}

#[test]
fn a_future_ends_at_its_limit_without_a_timer_of_its_own() {
    let server = stepped();
    let error = block_on(server.in_flight(2).within(Duration::from_millis(2))).unwrap_err();
    assert_eq!(error.to_string(), "waited 2ms for 2 streams in flight; requests so far: 0, streams in flight: 0");
    assert_eq!(format!("{error:?}"), error.to_string(), "what `unwrap` shows");
}

#[test]
fn idle_waits_for_the_end_of_every_answer() {
    let server = stepped();
    let _client = ask(&server);
    server.requests(1).within(PATIENCE).wait().unwrap();
    let error = server.idle().within(Duration::from_millis(2)).wait().unwrap_err();
    assert_eq!(error.journal().in_flight, 1);
    let report = error.to_string();
    assert!(
        report.contains("no request in progress; requests so far: 1") && report.contains("\n  1  POST /api/generate")
    );
    server.release(2);
    server.idle().within(PATIENCE).wait().unwrap();
}

#[test]
fn a_wait_of_a_server_that_ends_is_an_error_with_its_journal() {
    let server = stepped();
    let _client = ask(&server);
    server.requests(1).within(PATIENCE).wait().unwrap();
    let mut wait = Box::pin(server.requests(2).within(PATIENCE));
    // The first poll is what begins it.
    assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let late = server.requests(2);
    server.finish().unwrap();
    let error = block_on(wait).unwrap_err();
    assert!(error.to_string().starts_with("the server ended while a test waited for 2 requests"), "{error}");
    assert_eq!(error.journal().requests(), 1);
    assert_eq!(block_on(late).unwrap_err().journal().requests(), 0, "nobody is left who has it");
}

#[test]
fn a_wait_may_move_to_another_thread_and_outlive_its_handle() {
    let server = stepped();
    let wait = server.requests(1).within(PATIENCE);
    let waiting = thread::spawn(move || wait.wait());
    let _client = ask(&server);
    waiting.join().unwrap().unwrap();
}
