//! The threads that write recordings and say what was not recorded: disks and terminals may be slow.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::capture::{Capture, not_recorded};
use super::state::{ExchangePermit, RecorderState};
use crate::recording::End;

/// How many recordings are written at once. The disk is waited for, so there are more than cores may be.
const WRITERS: usize = 8;

/// An exchange that has ended so.
#[derive(Debug)]
pub(super) struct WriteJob {
    pub(super) capture: Capture,
    pub(super) end: End,
    pub(super) permit: Arc<ExchangePermit>,
}

/// Starts the threads. They end when the sender is gone and every job is done.
pub(super) fn start(state: &Arc<RecorderState>) -> io::Result<(Sender<WriteJob>, Vec<JoinHandle<()>>)> {
    let (jobs, queue) = mpsc::channel();
    let queue = Arc::new(Mutex::new(queue));
    let start = |_| {
        let (queue, state) = (Arc::clone(&queue), Arc::clone(state));
        let thread = std::thread::Builder::new().name("record-write".to_owned());
        thread.spawn(move || {
            while let Some(job) = next(&queue) {
                write(job, &state);
            }
        })
    };
    let threads = (0..WRITERS).map(start).collect::<io::Result<_>>()?;
    Ok((jobs, threads))
}

fn next(queue: &Mutex<Receiver<WriteJob>>) -> Option<WriteJob> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn write(job: WriteJob, state: &RecorderState) {
    let WriteJob { capture, end, permit } = job;
    let title = capture.title();
    let has_query = capture.has_query();
    let written = capture.finish(end, &state.scrub).and_then(|recording| state.folder.write(recording));
    match written {
        Ok(_) => {
            if has_query && !state.query_warned.swap(true, Ordering::SeqCst) {
                let line = format!("recorded without its query: {title} (this is said once)");
                (state.complain)(&state.scrub.complaint(&line));
            }
        }
        Err(why) => {
            if why.is_loss() {
                state.lost.fetch_add(1, Ordering::SeqCst);
            }
            (state.complain)(&not_recorded(&title, &why, &state.scrub));
        }
    }
    drop(permit);
}
