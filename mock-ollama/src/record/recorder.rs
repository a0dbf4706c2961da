//! The listener and its threads: one for each connection.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use thiserror::Error;

use super::exchange::{Setting, serve};
use super::folder::Folder;
use super::upstream::UpstreamUrl;
use crate::scrub::Scrub;

/// What a recorder is set to.
#[derive(Clone, Debug)]
pub struct RecorderConfig {
    /// The server to record.
    pub upstream: UpstreamUrl,
    /// The folder for recordings; it is made where it is missing.
    pub out: PathBuf,
    /// Where clients connect; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What is made unreadable in everything that is written.
    pub scrub: Scrub,
    /// Where it is said what was not recorded and why.
    pub complain: fn(&str),
}

/// Why a recorder did not start.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The folder cannot be used.
    #[error("cannot use {} for recordings", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address could not be bound.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
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
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    setting: Setting,
    stop: AtomicBool,
    open: Mutex<Vec<(TcpStream, JoinHandle<()>)>>,
}

impl Recorder {
    /// Starts recording; when this returns, clients can connect.
    ///
    /// # Errors
    /// The folder or the address cannot be used.
    pub fn start(config: RecorderConfig) -> Result<Self, RecordError> {
        let RecorderConfig { upstream, out, listen, scrub, complain } = config;
        let folder = Folder::open(&out).map_err(|source| RecordError::Folder { path: out, source })?;
        let bound = TcpListener::bind(listen).and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (addr, listener) = bound.map_err(|source| RecordError::Bind { addr: listen, source })?;
        let setting = Setting { upstream, folder, scrub, complain };
        let shared = Arc::new(Shared { setting, stop: AtomicBool::new(false), open: Mutex::default() });
        let loop_shared = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("record".to_owned())
            .spawn(move || accept(&listener, &loop_shared))
            .map_err(RecordError::Thread)?;
        Ok(Self { addr, shared, thread: Some(thread) })
    }

    /// Where clients connect, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends the recorder; when this returns, everything is written.
    pub fn finish(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the listener, which then finds that it is to stop.
        drop(TcpStream::connect(self.addr));
        // A panic of the listener's thread has been reported by then.
        let _ = thread.join();
        let open = std::mem::take(&mut *self.shared.open.lock().unwrap_or_else(PoisonError::into_inner));
        for (stream, thread) in open {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            let _ = thread.join();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        let Ok(handle) = client.try_clone() else { continue };
        let Ok(end) = client.try_clone() else { continue };
        let of_thread = Arc::clone(shared);
        let spawned = std::thread::Builder::new().name("record-exchange".to_owned()).spawn(move || {
            // A client that went away is nobody to tell.
            let _ = serve(client, &of_thread.setting);
            // The recorder keeps a handle of its own, which would hold the connection open.
            let _ = end.shutdown(std::net::Shutdown::Both);
        });
        let Ok(thread) = spawned else { continue };
        let mut open = shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, thread)| !thread.is_finished());
        open.push((handle, thread));
    }
}
