//! Rules that a test states on a running server.

use std::fmt;

use super::MockOllama;
use crate::driver::RuleCommand;
use crate::rules::{Expectation, IntoMatcher, Matcher, Per, Reply, Rule, RuleId, Window};

/// A rule that has its matcher and no reply yet. It does nothing until [`reply`](Self::reply) or [`replies`](Self::replies).
#[derive(Debug)]
#[must_use = "a rule without a reply is not stated"]
pub struct RuleDraft<'a> {
    server: &'a MockOllama,
    name: String,
    matcher: Matcher,
}

/// A rule of a running server. Dropping it changes nothing: the rule stays.
#[derive(Debug)]
pub struct StatedRule<'a> {
    server: &'a MockOllama,
    id: RuleId,
    rule: Rule,
}

/// A rule that is taken back when this is dropped. It panics then where its expectation is not met, unless the thread is
/// panicking already.
#[derive(Debug)]
#[must_use = "the rule is taken back when this is dropped"]
pub struct ScopedRule<'a> {
    server: &'a MockOllama,
    id: RuleId,
}

impl MockOllama {
    /// Begins a rule for the requests that this matches: a [`Matcher`] such as [`chat()`](crate::chat), or a closure that
    /// looks at an [`IncomingRequest`](crate::IncomingRequest).
    ///
    /// The first rule that matches and is not used up answers. The rule holds for every request that is sent after
    /// [`reply`](RuleDraft::reply) has returned.
    ///
    /// ```
    /// use mock_ollama::{IncomingRequest, MockOllama, busy, chat, says, status};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = MockOllama::start()?;
    /// server.on(chat().prompt("weather")).replies([busy(), status(429).retry_after(1), says(["It is", " 18 °C."])]);
    /// server.on(|request: &IncomingRequest| request.messages().len() > 3).named("long talk").reply(says("Enough."));
    /// # server.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on(&self, matcher: impl IntoMatcher) -> RuleDraft<'_> {
        RuleDraft { server: self, name: String::new(), matcher: matcher.into_matcher() }
    }

    /// Takes back every rule, forgets the journal, and counts from the beginning; models and recordings stay.
    ///
    /// ```
    /// use mock_ollama::{MockOllama, chat, says};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = MockOllama::start()?;
    /// server.on(chat()).reply(says("Hello")).expect(1);
    /// server.reset();
    /// // The expectation is gone with its rule.
    /// server.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reset(&self) {
        self.event_loop.rule(RuleCommand::Reset);
    }
}

impl<'a> RuleDraft<'a> {
    /// Names the rule, for reports.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// States what the rule answers: a [`Reply`], or a closure that computes one from the request.
    ///
    /// ```
    /// use mock_ollama::{IncomingRequest, MockOllama, chat, says};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = MockOllama::start()?;
    /// server.on(chat()).reply(|request: &IncomingRequest| says(request.prompt()));
    /// # server.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reply(self, reply: impl Into<Reply>) -> StatedRule<'a> {
        self.state(vec![reply.into()])
    }

    /// States what the rule answers in turn. The last reply stays, unless the rule says
    /// [`then_unexpected`](StatedRule::then_unexpected).
    ///
    /// # Panics
    /// Where there is no reply.
    #[track_caller]
    pub fn replies(self, replies: impl IntoIterator<Item = impl Into<Reply>>) -> StatedRule<'a> {
        let replies: Vec<Reply> = replies.into_iter().map(Into::into).collect();
        assert!(!replies.is_empty(), "a rule needs a reply; state one at least");
        self.state(replies)
    }

    fn state(self, replies: Vec<Reply>) -> StatedRule<'a> {
        let rule = Rule::new(self.name, self.matcher, replies);
        let id = self.server.event_loop.rule(RuleCommand::State(rule.clone()));
        StatedRule { server: self.server, id: id.unwrap_or(RuleId(0)), rule }
    }
}

// Each of these has told the server already: nothing is lost with what they return.
#[expect(clippy::return_self_not_must_use, reason = "the rule is changed, whether or not the returned value is used")]
impl<'a> StatedRule<'a> {
    fn change(mut self, change: impl FnOnce(&mut Rule)) -> Self {
        change(&mut self.rule);
        self.server.event_loop.rule(RuleCommand::Change(self.id, self.rule.clone()));
        self
    }

    /// Expects this number of uses: a number, or a range such as `1..` or `2..=3`. [`MockOllama::finish`] fails otherwise.
    ///
    /// ```
    /// use mock_ollama::{MockOllama, chat, says};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = MockOllama::start()?;
    /// server.on(chat()).reply(says("Hello")).expect(1);
    /// let report = server.finish().unwrap_err().to_string();
    /// assert!(report.contains("rule 1 was to be used 1 time, was used 0 times"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn expect(self, times: impl Into<Expectation>) -> Self {
        self.change(|rule| rule.expectation = Some(times.into()))
    }

    /// Takes only the first of the requests that match, this number of them.
    ///
    /// ```
    /// use mock_ollama::{MockOllama, busy, chat, says};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = MockOllama::start()?;
    /// server.on(chat()).reply(busy()).first(2);
    /// server.on(chat()).reply(says("Hello"));
    /// # server.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn first(self, requests: u64) -> Self {
        self.change(|rule| rule.window = Window::First(requests))
    }

    /// Takes only the `number`-th of the requests that match, counted from 1.
    pub fn nth(self, number: u64) -> Self {
        self.change(|rule| rule.window = Window::Nth(number))
    }

    /// Takes only every `step`-th of the requests that match: of 2 the second, the fourth and so forth.
    ///
    /// # Panics
    /// Where the step is 0.
    #[track_caller]
    pub fn every(self, step: u64) -> Self {
        assert!(step > 0, "every 0th request is none; state 1 or more");
        self.change(|rule| rule.window = Window::Every(step))
    }

    /// Counts turns and limits for each of these alone.
    ///
    /// ```
    /// use mock_ollama::{MockOllama, Per, busy, chat, says};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = MockOllama::start()?;
    /// // Every caller is turned away once.
    /// server.on(chat()).replies([busy(), says("Hello")]).per(Per::Caller);
    /// # server.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn per(self, per: Per) -> Self {
        self.change(|rule| rule.per = per)
    }

    /// Is used up when each of its replies was given: a further request is unexpected, unless another rule takes it.
    pub fn then_unexpected(self) -> Self {
        self.change(|rule| rule.ends = true)
    }

    /// Makes the rule end with the returned value.
    ///
    /// ```
    /// use mock_ollama::{MockOllama, chat, says};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = MockOllama::start()?;
    /// {
    ///     let _rule = server.on(chat()).reply(says("Hello")).scoped();
    /// }
    /// // The rule is gone.
    /// # server.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn scoped(self) -> ScopedRule<'a> {
        ScopedRule { server: self.server, id: self.id }
    }
}

impl Drop for ScopedRule<'_> {
    fn drop(&mut self) {
        let used = self.server.event_loop.remove_rule(self.id);
        if let Some(unmet) = used.filter(|used| used.unmet.is_some() && !std::thread::panicking()) {
            panic!("mock-ollama: {}", Unmet(&unmet));
        }
    }
}

/// An expectation that is not met, as a line of a report.
pub(super) struct Unmet<'a>(pub(super) &'a crate::journal::RuleUse);

impl fmt::Display for Unmet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(used) = self;
        write!(f, "rule {}", used.number)?;
        if !used.name.is_empty() {
            write!(f, " {:?}", used.name)?;
        }
        let wanted = used.unmet.as_deref().unwrap_or_default();
        write!(f, " was to be used {wanted}, was used {}", crate::rules::times(used.used))
    }
}
