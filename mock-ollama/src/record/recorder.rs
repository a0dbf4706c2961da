//! A running recorder, and the way to stop it.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use thiserror::Error;

use super::event_loop::EventLoop;
use super::folder::Folder;
use super::state::RecorderState;
use super::upstream::UpstreamUrl;
use super::writers;
use crate::driver::{LoopWaker, bind, host_names};
use crate::http::{GateConfig, Origins};
use crate::journal::ServerId;
use crate::scrub::Scrub;

/// What a recorder is set to.
#[derive(Clone, Debug)]
pub struct RecorderConfig {
    /// The server to record.
    pub upstream: UpstreamUrl,
    /// The folder for recordings; it is made where it is missing.
    pub out: PathBuf,
    /// Where clients connect; port 0 takes a free one. On a loopback address their `Host` is checked.
    pub listen: SocketAddr,
    /// The origins that may call beside the default ones.
    pub origins: Origins,
    /// What is made unreadable in everything that is written.
    pub scrub: Scrub,
    /// Prints what was not recorded, and why.
    pub complain: fn(&str),
}

/// Why a recorder did not start.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The upstream's name has no address.
    #[error("cannot find the address of {url}")]
    Resolve {
        /// The upstream.
        url: UpstreamUrl,
        /// The system's error.
        source: io::Error,
    },
    /// The folder cannot be used.
    #[error("cannot use {} for recordings", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The address could not be bound.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The system refused a thread.
    #[error("cannot start the recorder's thread")]
    Thread(#[source] io::Error),
}

/// A running recorder. Dropping it closes every connection; an exchange that is cut so is recorded as far as it came.
#[derive(Debug)]
pub struct Recorder {
    addr: SocketAddr,
    state: Arc<RecorderState>,
    stop: Arc<AtomicBool>,
    waker: LoopWaker,
    /// The loop and the writers.
    threads: Vec<JoinHandle<()>>,
}

impl Recorder {
    /// Starts recording; when this returns, clients can connect. The upstream's name is looked up here, once.
    ///
    /// # Errors
    /// The upstream has no address, or the folder or the address cannot be used.
    pub fn start(config: RecorderConfig) -> Result<Self, RecordError> {
        let RecorderConfig { upstream, out, listen, origins, scrub, complain } = config;
        let addrs = addresses(&upstream)?;
        let folder = Folder::open(&out).map_err(|source| RecordError::Folder { path: out, source })?;
        let bound = bind(listen).and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (addr, listener) = bound.map_err(|source| RecordError::Bind { addr: listen, source })?;
        let open = Some(ServerId::default()).filter(|_| !addr.ip().is_loopback()).into_iter().collect();
        let gate = GateConfig { open, origins, host_names: host_names() };
        let (lost, query_warned) = (AtomicUsize::default(), AtomicBool::default());
        let state = Arc::new(RecorderState { upstream, addrs, gate, folder, scrub, complain, lost, query_warned });
        let (jobs, mut threads) = writers::start(&state).map_err(RecordError::Thread)?;
        let stop = Arc::new(AtomicBool::new(false));
        let event_loop = EventLoop::new(listener, Arc::clone(&state), jobs, Arc::clone(&stop));
        let event_loop = event_loop.map_err(RecordError::Thread)?;
        let waker = event_loop.waker();
        let run = move || {
            if let Err(error) = event_loop.run() {
                complain(&format!("the recorder failed: {error}"));
            }
        };
        let thread = std::thread::Builder::new().name("record".to_owned()).spawn(run).map_err(RecordError::Thread)?;
        threads.push(thread);
        Ok(Self { addr, state, stop, waker, threads })
    }

    /// Returns where clients connect, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends the recorder; when this returns, everything is written. Says how many answers should have been and could not.
    pub fn finish(mut self) -> usize {
        self.stop();
        self.state.lost.load(Ordering::SeqCst)
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.waker.wake();
        for thread in self.threads.drain(..) {
            // A panic of a thread has been reported by then.
            let _ = thread.join();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop();
    }
}

fn addresses(upstream: &UpstreamUrl) -> Result<Vec<SocketAddr>, RecordError> {
    let wrong = |source| RecordError::Resolve { url: upstream.clone(), source };
    let addrs: Vec<SocketAddr> = upstream.authority.to_socket_addrs().map_err(wrong)?.collect();
    if addrs.is_empty() { Err(wrong(io::ErrorKind::NotFound.into())) } else { Ok(addrs) }
}
