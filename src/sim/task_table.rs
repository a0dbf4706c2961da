//! The tasks of a simulation, and which of them runs next.

use std::collections::VecDeque;
use std::task::Waker;

use mock_ollama::clock::Instant;

use super::failure::ParkedTask;

/// A task of a simulation, numbered in the order of making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TaskId(usize);

/// All tasks that have not ended. Wakers that it hands out are to be called, and dropped, outside of any lock.
#[derive(Default)]
pub(super) struct TaskTable {
    /// By number. The place of a task that has ended stays empty, so that a late wake-up never finds another task.
    tasks: Vec<Option<TaskState>>,
    /// Woken tasks, in the order of their wake-ups.
    pub(super) queue: VecDeque<TaskId>,
    /// The run is over when all agents have ended; connections may go on for ever.
    pub(super) agents: usize,
}

struct TaskState {
    name: String,
    is_agent: bool,
    queued: bool,
    /// The executor's waker, from the last poll.
    waker: Option<Waker>,
    /// When it last ran.
    since: Instant,
}

impl TaskTable {
    /// Adds a task, which is to run.
    pub(super) fn add(&mut self, name: &str, is_agent: bool, now: Instant) -> TaskId {
        let id = TaskId(self.tasks.len());
        self.tasks.push(Some(TaskState { name: name.to_owned(), is_agent, queued: true, waker: None, since: now }));
        self.queue.push_back(id);
        self.agents += usize::from(is_agent);
        id
    }

    /// Queues a task. Returns whether it was not queued already, and has not ended.
    pub(super) fn wake(&mut self, id: TaskId) -> bool {
        let Some(task) = self.get(id).filter(|task| !task.queued) else { return false };
        task.queued = true;
        self.queue.push_back(id);
        true
    }

    /// Takes the next task out of the queue, with its executor's waker where it has been polled.
    pub(super) fn next(&mut self) -> Option<(TaskId, Option<Waker>)> {
        loop {
            let id = self.queue.pop_front()?;
            // A task that ended since it was woken has nothing to do.
            if let Some(task) = self.get(id) {
                task.queued = false;
                return Some((id, task.waker.clone()));
            }
        }
    }

    /// Keeps the executor's waker of a task that is polled, and when it ran where it is its turn. Returns the waker that
    /// it had before.
    pub(super) fn poll(&mut self, id: TaskId, executor: &Waker, runs: Option<Instant>) -> Option<Waker> {
        let task = self.get(id)?;
        task.since = runs.unwrap_or(task.since);
        match &task.waker {
            Some(known) if known.will_wake(executor) => None,
            _ => task.waker.replace(executor.clone()),
        }
    }

    /// Removes a task that ends. Returns its executor's waker.
    pub(super) fn remove(&mut self, id: TaskId) -> Option<Waker> {
        let task = self.tasks.get_mut(id.0)?.take()?;
        self.agents -= usize::from(task.is_agent);
        task.waker
    }

    pub(super) fn name(&self, id: TaskId) -> String {
        self.tasks.get(id.0).and_then(Option::as_ref).map_or_else(String::new, |task| task.name.clone())
    }

    pub(super) fn parked(&self) -> Vec<ParkedTask> {
        let parked =
            |task: &TaskState| ParkedTask { task: task.name.clone(), since: task.since, begun: task.waker.is_some() };
        self.tasks.iter().flatten().map(parked).collect()
    }

    /// The executors' wakers of all tasks, in the order of making.
    pub(super) fn wakers(&self) -> impl Iterator<Item = Waker> {
        self.tasks.iter().flatten().filter_map(|task| task.waker.clone())
    }

    fn get(&mut self, id: TaskId) -> Option<&mut TaskState> {
        self.tasks.get_mut(id.0)?.as_mut()
    }
}
