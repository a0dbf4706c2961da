//! Matcher, replies, limits and expectation.

use std::fmt;
use std::ops::{Range, RangeFrom, RangeInclusive, RangeToInclusive};

use super::incoming::IncomingRequest;
use super::matcher::Matcher;
use super::reply::Reply;
use crate::journal::Caller;

/// What a test states: when it applies, what it answers, how often it may and must be used.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) name: String,
    pub(crate) matcher: Matcher,
    /// One at least; the last one stays.
    pub(crate) replies: Vec<Reply>,
    /// Whether it is used up when each reply was given.
    pub(crate) ends: bool,
    pub(crate) window: Window,
    pub(crate) per: Per,
    pub(crate) expectation: Option<Expectation>,
}

/// Which of the requests that match a rule it takes, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Window {
    #[default]
    All,
    First(u64),
    Nth(u64),
    Every(u64),
}

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Per {
    /// All requests of the server, in the order in which they are complete. Where several are on their way at once, that
    /// order is chance.
    #[default]
    Server,
    /// Those of one caller: of one value of the header `x-mock-caller`, or else of one connection.
    Caller,
    /// Those of one conversation: the same model, system prompt and first message of the user.
    Conversation,
}

/// How often a rule must be used: a number, or a range such as `1..` or `2..=3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    least: u64,
    most: u64,
}

impl Rule {
    /// Returns a rule that gives these replies in turn.
    pub(crate) fn new(name: String, matcher: Matcher, replies: Vec<Reply>) -> Self {
        Self { name, matcher, replies, ends: false, window: Window::All, per: Per::Server, expectation: None }
    }

    /// Returns what its counts are kept under for a request.
    pub(super) fn counted_under(&self, request: &IncomingRequest, caller: &Caller, server_per: Per) -> String {
        // A server that counts for each caller does so for every rule that says nothing else.
        match if self.per == Per::Server { server_per } else { self.per } {
            Per::Server => String::new(),
            Per::Caller => format!("{caller:?}"),
            Per::Conversation => request.conversation(),
        }
    }
}

impl Window {
    /// Returns whether the `number`-th request that matches, counted from 1, is one of these.
    pub(super) fn holds(self, number: u64) -> bool {
        match self {
            Self::All => true,
            Self::First(first) => number <= first,
            Self::Nth(nth) => number == nth,
            Self::Every(step) => number.is_multiple_of(step),
        }
    }
}

impl Expectation {
    /// Returns whether this number of uses is expected.
    pub(crate) fn holds(self, used: u64) -> bool {
        (self.least..=self.most).contains(&used)
    }
}

impl From<u64> for Expectation {
    fn from(times: u64) -> Self {
        Self { least: times, most: times }
    }
}

impl From<RangeFrom<u64>> for Expectation {
    fn from(range: RangeFrom<u64>) -> Self {
        Self { least: range.start, most: u64::MAX }
    }
}

impl From<RangeInclusive<u64>> for Expectation {
    fn from(range: RangeInclusive<u64>) -> Self {
        Self { least: *range.start(), most: *range.end() }
    }
}

impl From<RangeToInclusive<u64>> for Expectation {
    fn from(range: RangeToInclusive<u64>) -> Self {
        Self { least: 0, most: range.end }
    }
}

impl From<Range<u64>> for Expectation {
    fn from(range: Range<u64>) -> Self {
        Self { least: range.start, most: range.end.saturating_sub(1) }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, most) if least == most => write!(f, "{}", times(least)),
            (least, u64::MAX) => write!(f, "at least {}", times(least)),
            (0, most) => write!(f, "at most {}", times(most)),
            (least, most) => write!(f, "{least} to {}", times(most)),
        }
    }
}

/// Returns a number of times in words.
pub(crate) fn times(number: u64) -> String {
    format!("{number} time{}", if number == 1 { "" } else { "s" })
}
