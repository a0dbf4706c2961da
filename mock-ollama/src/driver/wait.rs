//! Waits of other threads for something that the server reaches: a value that is awaited on any runtime, or blocks.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::command::{Command, Mailbox};
use super::pending::{PendingWait, WaitError, WaitGoal, WaitOutcome};

/// How long a wait lasts at most where nothing else is stated.
const DEFAULT_LIMIT: Duration = Duration::from_secs(5);

/// A wait for something that the server reaches. It begins when it is first polled, or with [`Wait::wait`].
///
/// It is awaited on any runtime, so that a client on the same thread runs meanwhile:
///
/// ```
/// # use mock_ollama::{MockOllama, WaitError};
/// async fn both_clients_are_answered_at_once(server: &MockOllama) -> Result<(), WaitError> {
///     server.in_flight(2).await
/// }
/// ```
///
/// Dropping it ends it.
#[derive(Debug)]
#[must_use = "a wait does nothing until it is awaited or `wait` is called"]
pub struct Wait {
    mailbox: Mailbox,
    goal: WaitGoal,
    limit: Duration,
    /// Absent until it begins.
    outcome: Option<Arc<WaitOutcome>>,
}

impl Wait {
    pub(super) fn new(mailbox: Mailbox, goal: WaitGoal) -> Self {
        Self { mailbox, goal, limit: DEFAULT_LIMIT, outcome: None }
    }

    /// Sets how long it lasts at most; 5 seconds by default.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::time::Duration;
    /// let server = mock_ollama::MockOllama::builder().start()?;
    /// let error = server.requests(1).within(Duration::from_millis(1)).wait().unwrap_err();
    /// assert!(error.to_string().starts_with("waited 1ms for 1 request"), "{error}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Blocks this thread until it is over. In async code, await it instead: a client on the same thread could not run.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::io::Write as _;
    /// let server = mock_ollama::MockOllama::builder().start()?;
    /// let mut client = std::net::TcpStream::connect(server.addr())?;
    /// client.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    /// server.requests(1).wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`WaitError`] when the time is up, or the server ends before.
    pub fn wait(mut self) -> Result<(), WaitError> {
        self.begin().block()
    }

    /// Asks the loop for the outcome, once.
    fn begin(&mut self) -> &WaitOutcome {
        let Self { mailbox, goal, limit, outcome } = self;
        outcome.get_or_insert_with(|| {
            let outcome = Arc::new(WaitOutcome::default());
            mailbox.send(Command::Wait(PendingWait::new(*goal, *limit, Arc::clone(&outcome))));
            outcome
        })
    }
}

impl Future for Wait {
    type Output = Result<(), WaitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.begin().poll(context.waker())
    }
}
