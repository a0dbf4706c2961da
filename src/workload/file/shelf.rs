//! Recordings taken from a library, and the requests they make.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use mock_ollama::recording::{Method, Recording, RequestBody};

use super::{Library, RECORDING_SUFFIX, WorkloadError, WorkloadFile, WorkloadProblem};
use crate::workload::plan::RequestPlan;

/// The recordings a workload has taken from a library so far.
pub(super) struct Shelf<'a> {
    pub(super) file: &'a WorkloadFile,
    pub(super) library: Library<'a>,
    /// By the text in the file, with the requests they make.
    pub(super) taken: BTreeMap<String, Vec<RequestPlan>>,
    /// In the order in which they were first named.
    pub(super) order: Vec<Rc<Recording>>,
}

impl Shelf<'_> {
    pub(super) fn requests(&mut self, wanted: &str) -> Result<&[RequestPlan], WorkloadError> {
        if self.taken.contains_key(wanted) {
            return Ok(&self.taken[wanted]);
        }
        let recording = self.find(wanted)?;
        let requests = requests_of(&recording).map_err(|problem| self.file.error(problem))?;
        self.taken.insert(wanted.to_owned(), requests);
        match self.order.iter().find(|known| known.name == recording.name) {
            None => self.order.push(Rc::new(recording)),
            Some(known) if **known == recording => {}
            Some(_) => return Err(self.file.error(WorkloadProblem::DuplicateRecording(recording.name))),
        }
        Ok(&self.taken[wanted])
    }

    fn find(&self, wanted: &str) -> Result<Recording, WorkloadError> {
        if wanted.ends_with(RECORDING_SUFFIX) {
            let path = self.file.path.parent().unwrap_or(Path::new("")).join(wanted);
            return (self.library.read)(&path).map_err(|source| WorkloadError::Recording {
                path: self.file.path.clone(),
                recording: path,
                source,
            });
        }
        self.library.named.iter().find(|recording| recording.name == wanted).cloned().ok_or_else(|| {
            let known = self.library.names().into_iter().map(str::to_owned).collect();
            self.file.error(WorkloadProblem::UnknownRecording { name: wanted.to_owned(), known })
        })
    }
}

/// The first two recordings that share a request, as a server that matches exactly sees it: options do not count.
pub(super) fn shared_request(recordings: &[Rc<Recording>]) -> Option<(&Recording, &Recording)> {
    let mut askers: BTreeMap<String, &Recording> = BTreeMap::new();
    for recording in recordings {
        for request in recording.exchanges.iter().filter_map(|exchange| exchange.request.as_ref()) {
            let Some(RequestBody::Json(body)) = &request.body else { continue };
            let part = |key: &str| body.get(key).map(ToString::to_string).unwrap_or_default();
            let key = [request.path.clone(), part("model"), part("prompt"), part("messages")].join("\n");
            match askers.get(&key) {
                Some(other) if other.name != recording.name => return Some((other, recording)),
                _ => askers.insert(key, recording),
            };
        }
    }
    None
}

/// The requests of all exchanges of `recording`, in order.
pub fn requests_of(recording: &Recording) -> Result<Vec<RequestPlan>, WorkloadProblem> {
    let refuse = |exchange, why| WorkloadProblem::NotSendable { recording: recording.name.clone(), exchange, why };
    let each = recording.exchanges.iter().enumerate().map(|(number, exchange)| {
        let request = exchange.request.as_ref().ok_or_else(|| refuse(number, "its request was not recorded"))?;
        if request.method != Method::Post {
            return Err(refuse(number, "its request is not a POST"));
        }
        let body = match &request.body {
            Some(RequestBody::Text(_)) => return Err(refuse(number, "its request body is not JSON")),
            Some(body) => body.text().into_owned(),
            None => return Err(refuse(number, "its request has no body")),
        };
        Ok(RequestPlan { recording: recording.name.clone(), exchange: number, path: request.path.clone(), body })
    });
    each.collect()
}
