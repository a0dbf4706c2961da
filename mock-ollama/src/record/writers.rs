//! The threads that write recordings and say what was not recorded: disks and terminals may be slow.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::note::{Note, not_recorded};
use super::setting::{Setting, Slot};
use crate::recording::End;

/// How many recordings are written at once. The disk is waited for, so there are more than cores may be.
const WRITERS: usize = 8;

/// An exchange that has ended so.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) note: Note,
    pub(super) end: End,
    pub(super) slot: Arc<Slot>,
}

/// Starts the threads. They end when the sender is gone and every job is done.
pub(super) fn start(setting: &Arc<Setting>) -> io::Result<(Sender<Job>, Vec<JoinHandle<()>>)> {
    let (jobs, queue) = mpsc::channel();
    let queue = Arc::new(Mutex::new(queue));
    let start = |_| {
        let (queue, setting) = (Arc::clone(&queue), Arc::clone(setting));
        let thread = std::thread::Builder::new().name("record-write".to_owned());
        thread.spawn(move || {
            while let Some(job) = next(&queue) {
                write(job, &setting);
            }
        })
    };
    let threads = (0..WRITERS).map(start).collect::<io::Result<_>>()?;
    Ok((jobs, threads))
}

fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn write(job: Job, setting: &Setting) {
    let Job { note, end, slot } = job;
    let title = note.title();
    let has_query = note.has_query();
    let written = note.finish(end, &setting.scrub).and_then(|recording| setting.folder.write(recording));
    match written {
        Ok(_) => {
            if has_query && !setting.query_said.swap(true, Ordering::SeqCst) {
                let line = format!("recorded without its query: {title} (this is said once)");
                (setting.complain)(&setting.scrub.complaint(&line));
            }
        }
        Err(why) => {
            if why.is_loss() {
                setting.lost.fetch_add(1, Ordering::SeqCst);
            }
            (setting.complain)(&not_recorded(&title, &why, &setting.scrub));
        }
    }
    drop(slot);
}
