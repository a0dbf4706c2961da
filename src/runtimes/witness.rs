//! Where a task was polled and woken, and which task it was.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread, ThreadId};

/// Tells tasks apart by their wakers.
///
/// It keeps a waker of every task until the end of the run: an executor cannot use the address of a task again while
/// its waker lives, so two tasks are never taken for one.
#[derive(Debug, Default)]
pub struct Tasks(Mutex<BTreeMap<WakerKey, (Waker, u32)>>);

/// The addresses of a waker's data and table: what [`Waker::will_wake`] compares. Runs of a hundred thousand tasks need the
/// order; comparing with each known task took an eighth of their time.
type WakerKey = (usize, usize);

impl Tasks {
    /// The number of the task that this waker wakes, counted from 0 in the order of first sight.
    fn number(&self, waker: &Waker) -> u32 {
        let mut known = lock(&self.0);
        let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let key = (waker.data().addr(), std::ptr::from_ref(waker.vtable()).addr());
        known.entry(key).or_insert_with(|| (waker.clone(), next)).1
    }
}

/// What was seen of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// The names of the threads that polled it.
    pub polled_on: BTreeSet<String>,
    /// The names of the threads that woke it, up to its end.
    pub woken_by: BTreeSet<String>,
    /// Which task it was: futures that share a task share this number.
    pub task: u32,
}

/// A future under observation. It resolves to the output and what was seen.
///
/// The waker that the future gets wakes the executor's, and notes who did. In the steady state (same task, same
/// threads) a poll allocates nothing.
#[derive(Debug)]
pub struct Witnessed<F> {
    future: Pin<Box<F>>,
    tasks: Arc<Tasks>,
    task: Option<u32>,
    polled: Threads,
    waker: Option<Observed>,
    woken: Arc<Mutex<Threads>>,
}

/// The executor's waker and ours around it.
#[derive(Debug)]
struct Observed {
    executor: Waker,
    ours: Waker,
}

impl<F: Future> Witnessed<F> {
    /// Observes `future`; `tasks` is shared by all futures of a run.
    pub fn new(future: F, tasks: Arc<Tasks>) -> Self {
        Self {
            future: Box::pin(future),
            tasks,
            task: None,
            polled: Threads::default(),
            waker: None,
            woken: Arc::default(),
        }
    }

    /// Our waker around the executor's; the one of the last poll where it still wakes the same task.
    fn observe(&mut self, executor: &Waker) -> Waker {
        match &self.waker {
            Some(observed) if observed.executor.will_wake(executor) => observed.ours.clone(),
            _ => {
                let note = NoteAndWake { executor: executor.clone(), woken: Arc::clone(&self.woken) };
                let ours = Waker::from(Arc::new(note));
                self.waker = Some(Observed { executor: executor.clone(), ours: ours.clone() });
                ours
            }
        }
    }
}

impl<F: Future> Future for Witnessed<F> {
    type Output = (F::Output, Sighting);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.polled.note();
        let task = *this.task.get_or_insert_with(|| this.tasks.number(cx.waker()));
        let ours = this.observe(cx.waker());
        this.future.as_mut().poll(&mut Context::from_waker(&ours)).map(|output| {
            let woken_by = lock(&this.woken).names();
            (output, Sighting { polled_on: this.polled.names(), woken_by, task })
        })
    }
}

/// Wakes the executor's waker and notes the thread that did so.
struct NoteAndWake {
    executor: Waker,
    woken: Arc<Mutex<Threads>>,
}

impl Wake for NoteAndWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        lock(&self.woken).note();
        self.executor.wake_by_ref();
    }
}

/// The threads that did something, each of them once.
#[derive(Debug, Default)]
struct Threads {
    last: Option<ThreadId>,
    seen: Vec<Thread>,
}

impl Threads {
    /// Notes the current thread.
    fn note(&mut self) {
        let current = thread::current();
        if self.last == Some(current.id()) {
            return;
        }
        self.last = Some(current.id());
        if self.seen.iter().all(|thread| thread.id() != current.id()) {
            self.seen.push(current);
        }
    }

    fn names(&self) -> BTreeSet<String> {
        self.seen.iter().map(|thread| thread.name().unwrap_or("(unnamed)").to_owned()).collect()
    }
}

/// What a panicking thread left behind is still a list of threads.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct CountingWake(AtomicUsize);

    impl Wake for CountingWake {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn task() -> Waker {
        Arc::new(CountingWake::default()).into()
    }

    fn poll_once<F: Future>(future: Pin<&mut F>, task: &Waker) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(task))
    }

    /// The task number of a future that is ready at its first poll.
    fn number(tasks: &Arc<Tasks>, waker: &Waker) -> u32 {
        let witnessed = pin!(Witnessed::new(async {}, Arc::clone(tasks)));
        match poll_once(witnessed, waker) {
            Poll::Ready(((), sighting)) => sighting.task,
            Poll::Pending => unreachable!("it is ready"),
        }
    }

    #[test]
    fn futures_of_one_task_share_its_number_and_others_have_their_own() {
        let (tasks, first, second) = (Arc::default(), task(), task());
        let numbers = [&first, &second, &first, &second].map(|waker| number(&tasks, waker));
        assert_eq!(numbers, [0, 1, 0, 1]);
    }

    #[test]
    fn a_task_that_has_ended_never_lends_its_number_to_a_later_one() {
        let tasks = Arc::default();
        let numbers: Vec<u32> = (0..64).map(|_| number(&tasks, &task())).collect();
        assert_eq!(numbers, (0..64).collect::<Vec<u32>>());
    }

    #[test]
    fn the_threads_that_poll_and_wake_are_told_apart() {
        let shelf = Arc::new(Mutex::new(None::<Waker>));
        let waiting = poll_fn({
            let shelf = Arc::clone(&shelf);
            move |cx| match lock(&shelf).replace(cx.waker().clone()) {
                None => Poll::Pending,
                Some(_) => Poll::Ready(()),
            }
        });
        let counting = Arc::new(CountingWake::default());
        let waker = Waker::from(Arc::clone(&counting));
        let mut witnessed = pin!(Witnessed::new(waiting, Arc::default()));

        on("poller", || assert!(poll_once(witnessed.as_mut(), &waker).is_pending()));
        on("waker", || lock(&shelf).as_ref().expect("it was polled").wake_by_ref());
        let Poll::Ready(((), sighting)) = on("poller", || poll_once(witnessed.as_mut(), &waker)) else {
            panic!("it was woken");
        };

        assert_eq!(counting.0.load(Ordering::Relaxed), 1);
        assert_eq!(sighting.polled_on, ["poller".to_owned()].into());
        assert_eq!(sighting.woken_by, ["waker".to_owned()].into());
    }

    #[test]
    fn polls_of_the_same_task_share_one_waker() {
        let mut wakers = Vec::new();
        let first = task();
        {
            let spy = poll_fn(|cx| {
                wakers.push(cx.waker().clone());
                Poll::<()>::Pending
            });
            let mut witnessed = pin!(Witnessed::new(spy, Arc::default()));
            for waker in [&first, &first, &task()] {
                assert!(poll_once(witnessed.as_mut(), waker).is_pending());
            }
        }
        assert!(wakers[0].will_wake(&wakers[1]));
        assert!(!wakers[0].will_wake(&wakers[2]));
    }

    #[test]
    fn dropping_it_drops_the_future() {
        let guard = Arc::new(());
        let held = Arc::clone(&guard);
        let witnessed = Witnessed::new(
            async move {
                pending::<()>().await;
                drop(held);
            },
            Arc::default(),
        );
        drop(witnessed);
        assert_eq!(Arc::strong_count(&guard), 1);
    }

    fn on<T: Send>(name: &str, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let thread = thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, work);
            thread.expect("a thread").join().expect("no panic")
        })
    }
}
