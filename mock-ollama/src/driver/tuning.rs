//! The tuning constants of the event loop.
//!
//! One round of the loop accepts, reads, lets events happen, and waits. How they interact:
//!
//! - Each kind of work in a round is bounded ([`MAX_ACCEPTS_PER_ROUND`], [`MAX_READS_PER_CONN`], [`MAX_EVENTS_PER_ROUND`]), so
//!   that none delays the others by more than a round. What is left makes the next wait zero.
//! - Within a round, events happen in bursts of [`MAX_EVENTS_PER_BURST`] before their output is sent. A late stream fills one
//!   event with up to [`MAX_CHUNKS_PER_WRITE`] chunks, coalesced up to [`MAX_COALESCED_BYTES`] a call.
//! - Before a wait the number of streams decides. With at most [`MAX_SPINNING_STREAMS`], the loop wakes early by a lead that it
//!   learns ([`WAKEUP_LEAD_MAX_FACTOR`], [`WAKEUP_LEAD_MARGIN`], [`WAKEUP_LEAD_DECAY`]), and spins. With more, it sleeps for
//!   [`MIN_SLEEP_MAX`] or less, so that what is due meanwhile leaves in one burst. It never does both.

use std::num::NonZeroUsize;
use std::time::Duration;

/// How many events happen before sockets are looked at again: some 100 µs of work, which is what input may wait.
pub(super) const MAX_EVENTS_PER_ROUND: usize = 64;

/// How many events happen before their output is sent. In a row, sends cost less each, and the reader that the first one wakes
/// is still awake at the last; more would delay the first. Under a clock that waits for each event it is one.
pub(super) const MAX_EVENTS_PER_BURST: usize = 16;

/// How many reads one connection gets before the others have theirs.
pub(super) const MAX_READS_PER_CONN: usize = 16;

/// The size of the buffer of one read: most requests fit into one.
pub(super) const READ_BUFFER_BYTES: usize = 16 * 1024;

/// How many chunks of a late stream are coalesced into one event. It bounds how long one stream holds up the others.
pub(super) const MAX_CHUNKS_PER_WRITE: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// How many chunks of a late stream leave in a row where each has a write of its own. More in a row cost more each: the client
/// begins to read the first ones, and both sides wait for the lock of the same socket.
pub(super) const MAX_SEPARATE_WRITES: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// How many bytes of output are copied together for one call, unless one piece alone has more.
///
/// Pieces are copied rather than handed over as a list: for the hundred bytes of a token's line, a list costs the kernel more
/// than the copy.
pub(super) const MAX_COALESCED_BYTES: usize = 64 * 1024;

/// With more streams than this in progress the loop does not spin: it would never stop.
pub(super) const MAX_SPINNING_STREAMS: usize = 8;

/// The longest lead before a deadline, in multiples of the shortest: a host that wakes slower than that is not spun for.
pub(super) const WAKEUP_LEAD_MAX_FACTOR: u32 = 4;

/// The margin of the lead above what the last wake-up took: one part in this many.
pub(super) const WAKEUP_LEAD_MARGIN: u32 = 4;

/// What a lead that was longer than needed loses at each wake-up: one part in this many of what is above the shortest. The slow
/// wake-up in a hundred is remembered until it comes again.
pub(super) const WAKEUP_LEAD_DECAY: u32 = 32;

/// The longest sleep for the sake of a burst, and so what a deadline may be missed by for it.
pub(super) const MIN_SLEEP_MAX: Duration = Duration::from_micros(100);

/// How many connections of a listener are accepted in one round: a crowd of clients does not hold up the streams.
pub(super) const MAX_ACCEPTS_PER_ROUND: usize = 64;

/// How many clients above the limit of connections are being refused at once; the others wait in the kernel's backlog.
pub(super) const MAX_REFUSED_CONNS: usize = 32;

/// How long accepting pauses when the process is out of descriptors. Edge-triggered, nothing else would wake the loop for the
/// connections that wait.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Descriptors that the loop has beside its listeners and connections: epoll, timer and waker.
pub(super) const LOOP_DESCRIPTORS: usize = 3;
