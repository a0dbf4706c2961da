//! The loop.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use anyhow::{Context as _, Result};
use nix::sys::time::TimeSpec;
use rustix::event::epoll;
use rustix::net::{RecvFlags, recv};
use rustix::time::Timespec;

use super::LoadArgs;
use super::sample::{Sample, report};
use super::stream::{LoadStream, read_stamped};
use super::tally::Tally;
use crate::counter::ResponseProgress;
use crate::report::LoadReport;
use crate::sys;

/// How many events are taken from the kernel at once.
const MAX_EVENTS_PER_WAIT: usize = 256;

/// The size of one read.
const READ_BYTES: usize = 128 * 1024;

/// How long a connection that failed is left alone.
const RECONNECT_PAUSE_NANOS: i64 = 10_000_000;

/// The longest wait: the window opens and closes on time.
const MAX_WAIT_NANOS: i64 = 10_000_000;

/// Waits shorter than this are not waited: epoll counts in milliseconds, and streams must start spread over the gap.
const MIN_WAIT_NANOS: i64 = 2_000_000;

/// A slot for a connection.
struct Slot {
    stream: Option<LoadStream>,
    /// When it is to be opened, where it is not.
    start: i64,
}

/// The load.
pub(super) struct Load<'a> {
    args: &'a LoadArgs,
    request: Vec<u8>,
    epoll: OwnedFd,
    slots: Vec<Slot>,
    /// Places without a stream.
    closed: usize,
    /// When the next of those is to be opened, at the earliest.
    next_start: i64,
    tally: Tally,
    /// The first sample, once the window is open.
    opened: Option<Sample>,
    buffer: Vec<u8>,
    space: Vec<u8>,
}

impl<'a> Load<'a> {
    pub(super) fn new(args: &'a LoadArgs, request: Vec<u8>) -> Result<Self> {
        let slots = (0..args.streams).map(|_| Slot { stream: None, start: 0 }).collect();
        Ok(Self {
            args,
            request,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).context("cannot make an epoll")?,
            slots,
            closed: args.streams as usize,
            next_start: 0,
            tally: Tally::new(args.gap_us > 0),
            opened: None,
            buffer: vec![0; READ_BYTES],
            space: nix::cmsg_space!(TimeSpec),
        })
    }

    /// The kernel stamps packets with the clock of the calendar, so a run with a pace uses that one throughout.
    fn now(&self) -> i64 {
        if self.args.gap_us > 0 { sys::realtime() } else { sys::monotonic() }
    }

    fn gap(&self) -> i64 {
        i64::from(self.args.gap_us) * 1000
    }

    /// Runs warm-up and window.
    pub(super) fn run(mut self) -> Result<LoadReport> {
        let begun = self.now();
        self.spread(begun);
        let (opens, lasts) = (begun + nanos(self.args.warm), nanos(self.args.duration));
        loop {
            let now = self.now();
            if let Some(opened) = &self.opened
                && now >= opened.at + lasts
            {
                break;
            }
            if self.opened.is_none() && now >= opens {
                self.tally = Tally::new(self.args.gap_us > 0);
                self.opened = Some(Sample::take(self.args.pid, self.now())?);
            }
            self.open_due(now);
            self.turn(now)?;
        }
        let closed = Sample::take(self.args.pid, self.now())?;
        for slot in std::mem::take(&mut self.slots) {
            if let Some(stream) = slot.stream {
                self.judge(&stream);
            }
        }
        let opened = self.opened.context("the window never opened")?;
        Ok(report(self.args, self.tally, &opened, &closed))
    }

    /// Gives each slot its start: over the ramp, and over the gap, so that not all streams are due at once.
    fn spread(&mut self, begun: i64) {
        let (ramp, gap) = (i64::from(self.args.ramp_ms) * 1_000_000, self.gap());
        let streams = i64::from(self.args.streams);
        for (slot, k) in self.slots.iter_mut().zip(0..) {
            slot.start = begun + (ramp + gap) * k / streams;
        }
        self.next_start = begun;
    }

    /// Opens the connections whose time has come.
    fn open_due(&mut self, now: i64) {
        if self.closed == 0 || now < self.next_start {
            return;
        }
        self.next_start = i64::MAX;
        for index in 0..self.slots.len() {
            let Slot { stream: None, start } = self.slots[index] else { continue };
            if start <= now && !self.open(index) {
                self.failed(index);
            }
            let slot = &self.slots[index];
            if slot.stream.is_none() {
                self.next_start = self.next_start.min(slot.start);
            }
        }
    }

    /// Connects and asks. Returns whether that went well.
    fn open(&mut self, index: usize) -> bool {
        let (stamps, tokens) = (self.args.gap_us > 0, self.args.tokens as usize);
        let Ok(stream) = LoadStream::open(self.args.addr, stamps, tokens) else { return false };
        let data = epoll::EventData::new_u64(index as u64);
        if epoll::add(&self.epoll, &stream.socket, data, epoll::EventFlags::IN).is_err() {
            return false;
        }
        self.slots[index].stream = Some(stream);
        self.closed -= 1;
        self.ask(index)
    }

    fn ask(&mut self, index: usize) -> bool {
        self.tally.asked += 1;
        let stream = self.slots[index].stream.as_mut();
        stream.is_some_and(|stream| stream.ask(&self.request).is_ok())
    }

    /// Closes a connection that is of no use any more, and tries again in a moment.
    fn failed(&mut self, index: usize) {
        self.tally.errors.io += 1;
        self.close(index, RECONNECT_PAUSE_NANOS);
    }

    fn close(&mut self, index: usize, pause: i64) {
        if self.slots[index].stream.take().is_some() {
            self.closed += 1;
        }
        self.slots[index].start = self.now() + pause;
        self.next_start = self.next_start.min(self.slots[index].start);
    }

    /// Waits for bytes and reads them.
    fn turn(&mut self, now: i64) -> Result<()> {
        let start = if self.closed == 0 { MAX_WAIT_NANOS } else { self.next_start.saturating_sub(now) };
        let wait = if start < MIN_WAIT_NANOS { 0 } else { (start - MIN_WAIT_NANOS).min(MAX_WAIT_NANOS) };
        let timeout = Timespec { tv_sec: 0, tv_nsec: wait };
        let mut buffer = [const { MaybeUninit::<epoll::Event>::uninit() }; MAX_EVENTS_PER_WAIT];
        let events = match epoll::wait(&self.epoll, &mut buffer[..], Some(&timeout)) {
            Ok((events, _)) => events,
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error).context("cannot wait"),
        };
        for event in events.iter() {
            let data = event.data;
            if let Ok(index) = usize::try_from(data.u64())
                && !self.read(index)
            {
                self.failed(index);
            }
        }
        Ok(())
    }

    /// Reads once: what is left makes epoll tell again. Says whether the connection is still good.
    fn read(&mut self, index: usize) -> bool {
        let paced = self.args.gap_us > 0;
        let Some(stream) = self.slots[index].stream.as_mut() else { return true };
        let got = if paced {
            read_stamped(&stream.socket, &mut self.buffer, &mut self.space)
        } else {
            let read = recv(&stream.socket, &mut self.buffer[..], RecvFlags::empty());
            read.map(|(_, n)| (n, None)).map_err(Into::into)
        };
        let (n, stamp) = match got {
            Ok(got) => got,
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        };
        let before = stream.counter.counts();
        let progress = if n == 0 { stream.counter.end() } else { stream.counter.feed(&self.buffer[..n]) };
        let after = stream.counter.counts();
        let now = stamp.unwrap_or_else(|| if paced { sys::realtime() } else { sys::monotonic() });
        stream.arrived(after.tokens - before.tokens, now, paced);
        self.tally.reads += 1;
        self.tally.stamped += u64::from(stamp.is_some());
        self.tally.tokens += after.tokens - before.tokens;
        match progress {
            Ok(ResponseProgress::More) => true,
            Ok(ResponseProgress::Done(status)) => self.complete(index, status.code, status.close),
            Err(_) => false,
        }
    }

    /// An answer is complete: judges it and asks for the next.
    fn complete(&mut self, index: usize, code: u16, close: bool) -> bool {
        let Some(stream) = self.slots[index].stream.take() else { return true };
        self.judge(&stream);
        self.tally.errors.status += u64::from(code != 200);
        let expected = u64::from(self.args.tokens);
        self.tally.errors.tokens += u64::from(code == 200 && expected > 0 && stream.tokens != expected);
        self.slots[index].stream = Some(stream);
        if close {
            self.close(index, 0);
            return true;
        }
        self.ask(index)
    }

    /// Takes note of how punctual a stream was, so far as it went.
    fn judge(&mut self, stream: &LoadStream) {
        let Some(opened) = &self.opened else { return };
        if self.args.gap_us > 0 {
            let (gap, expected) = (i64::from(self.args.gap_us) * 1000, self.args.tokens as usize);
            self.tally.paced(&stream.arrivals, gap, opened.at, expected);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most the ten minutes that the flags allow")]
fn nanos(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}
