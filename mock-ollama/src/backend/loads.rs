//! The queue of requests whose model is not loaded (`server/sched.go`).

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::clock::Instant;
use crate::journal::StreamId;
use crate::models::{Card, Found, KeepAlive, Runners};

/// The text of a full queue, with its two spaces (`ErrMaxQueue`).
pub const BUSY: &str = "server busy, please try again.  maximum pending requests exceeded";

/// The limits of the queue of loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadLimits {
    /// Requests that may wait for a load, beside the one that is worked on (`OLLAMA_MAX_QUEUE`).
    pub queue: usize,
    /// Models that may be loaded at once; all of them when absent (`OLLAMA_MAX_LOADED_MODELS`).
    pub loaded: Option<NonZeroUsize>,
    /// How long loading a model takes.
    pub load_time: Duration,
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self { queue: 512, loaded: None, load_time: Duration::ZERO }
    }
}

/// A request for a model.
#[derive(Clone, Debug)]
pub struct LoadRequest {
    /// The stream that it opens.
    pub stream: StreamId,
    /// The model.
    pub card: Card,
    /// The options that a model is loaded with; another value means another load.
    pub options: String,
    /// The keep-alive that it states.
    pub keep_alive: Option<KeepAlive>,
}

/// What becomes of a request at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Its model is loaded.
    Loaded,
    /// It waits.
    Waits,
    /// Too many wait: it is refused.
    Busy,
}

/// The queue of loads. One request is worked on at a time; all others wait behind it, whatever their model.
#[derive(Debug, Default)]
pub struct Loads {
    /// Absent: every model counts as loaded, whatever its options.
    limits: Option<LoadLimits>,
    queue: VecDeque<LoadRequest>,
    working: Option<Work>,
}

#[derive(Debug)]
enum Work {
    /// Room has to be made first, and the models that would be unloaded are busy.
    Blocked(LoadRequest),
    /// The model is loading until then. `gone`: the client has hung up meanwhile.
    Loading { request: LoadRequest, until: Instant, gone: bool },
}

impl Loads {
    /// Returns an empty queue; without limits no request ever waits in it.
    pub fn new(limits: Option<LoadLimits>) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes a request. The keep-alive that it states holds from the moment at which its model is loaded.
    pub fn arrive(&mut self, request: LoadRequest, runners: &mut Runners, now: Instant) -> Arrival {
        match self.limits {
            Some(limits) if runners.find(&request.card, &request.options, now) != Found::Loaded => {
                if self.queue.len() >= limits.queue {
                    return Arrival::Busy;
                }
                self.queue.push_back(request);
                Arrival::Waits
            }
            _ => {
                runners.begin(&request.card, &request.options, request.keep_alive, now);
                Arrival::Loaded
            }
        }
    }

    /// Removes the request of a client that hung up, and returns whether it was here. A load that has begun continues.
    pub fn leave(&mut self, stream: &StreamId) -> bool {
        if let Some(place) = self.queue.iter().position(|request| request.stream == *stream) {
            self.queue.remove(place);
            return true;
        }
        match &mut self.working {
            Some(Work::Loading { request, gone, .. }) if request.stream == *stream => {
                *gone = true;
                true
            }
            Some(Work::Blocked(request)) if request.stream == *stream => {
                self.working = None;
                true
            }
            _ => false,
        }
    }

    /// Returns when the current load ends.
    pub fn next_due(&self) -> Option<Instant> {
        match &self.working {
            Some(Work::Loading { until, .. }) => Some(*until),
            Some(Work::Blocked(_)) | None => None,
        }
    }

    /// Proceeds as far as it can; returns, in order, the requests whose model is loaded by then. Must be called after every
    /// arrival, when a load ends, and when a request of a model has ended.
    pub fn proceed(&mut self, runners: &mut Runners, now: Instant) -> Vec<LoadRequest> {
        let mut ready = Vec::new();
        let Some(limits) = self.limits else { return ready };
        loop {
            let request = match self.working.take() {
                Some(Work::Loading { request, until, gone }) if until <= now => {
                    runners.begin(&request.card, &request.options, request.keep_alive, now);
                    if gone {
                        runners.end(&request.card, now);
                    } else {
                        ready.push(request);
                    }
                    continue;
                }
                Some(loading @ Work::Loading { .. }) => {
                    self.working = Some(loading);
                    return ready;
                }
                Some(Work::Blocked(request)) => request,
                None => match self.queue.pop_front() {
                    Some(request) => request,
                    None => return ready,
                },
            };
            match runners.find(&request.card, &request.options, now) {
                Found::Loaded => {
                    runners.begin(&request.card, &request.options, request.keep_alive, now);
                    ready.push(request);
                }
                found => {
                    let full = limits.loaded.is_some_and(|most| runners.count(now) >= most.get());
                    let has_room = match found {
                        // Only its own runner stands in the way.
                        Found::Otherwise => runners.unload_for(&request.card, now),
                        _ => !full || runners.make_room(now),
                    };
                    self.working = Some(if has_room {
                        Work::Loading { request, until: now.saturating_add(limits.load_time), gone: false }
                    } else {
                        Work::Blocked(request)
                    });
                    if !has_room {
                        return ready;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ModelName;

    const LOAD: Duration = Duration::from_secs(2);

    struct TestLoads {
        loads: Loads,
        runners: Runners,
    }

    impl TestLoads {
        fn new(queue: usize, loaded: Option<usize>) -> Self {
            let loads =
                Loads::new(Some(LoadLimits { queue, loaded: loaded.and_then(NonZeroUsize::new), load_time: LOAD }));
            Self { loads, runners: Runners::new(KeepAlive::DEFAULT) }
        }

        /// A request for a model, at a second.
        fn ask(&mut self, number: u32, model: &str, options: &str, second: u64) -> Arrival {
            let request = LoadRequest {
                stream: stream(number),
                card: card(model),
                options: options.to_owned(),
                keep_alive: None,
            };
            self.loads.arrive(request, &mut self.runners, at(second))
        }

        /// Who has its model now.
        fn proceed(&mut self, second: u64) -> Vec<u32> {
            let ready = self.loads.proceed(&mut self.runners, at(second));
            ready.into_iter().map(|request| request.stream.exchange).collect()
        }

        fn end(&mut self, model: &str, second: u64) {
            self.runners.end(&card(model), at(second));
        }
    }

    fn stream(number: u32) -> StreamId {
        StreamId::of("a", number)
    }

    fn card(model: &str) -> Card {
        Card::named(ModelName::parse(model).unwrap())
    }

    fn at(second: u64) -> Instant {
        Instant::ZERO.saturating_add(Duration::from_secs(second))
    }

    #[test]
    fn without_limits_every_model_is_there_at_once_also_with_other_options() {
        let mut bench = TestLoads { loads: Loads::new(None), ..TestLoads::new(0, None) };
        for (number, options) in ["num_ctx=512", "num_ctx=1024", "num_ctx=512"].into_iter().enumerate() {
            assert_eq!(bench.ask(u32::try_from(number).unwrap(), "m", options, 0), Arrival::Loaded);
        }
        assert_eq!((bench.proceed(0), bench.loads.next_due()), (vec![], None));
    }

    #[test]
    fn a_cold_model_is_loaded_first_and_a_loaded_one_is_there_at_once() {
        let mut bench = TestLoads::new(512, None);
        assert_eq!(bench.ask(0, "m", "", 0), Arrival::Waits);
        assert_eq!((bench.proceed(0), bench.loads.next_due()), (vec![], Some(at(2))));
        assert_eq!(bench.proceed(2), [0]);
        assert_eq!(bench.ask(1, "m", "", 3), Arrival::Loaded);
    }

    #[test]
    fn models_are_loaded_one_at_a_time_in_the_order_of_arrival() {
        let mut bench = TestLoads::new(512, None);
        for (number, model) in ["m", "n", "m"].into_iter().enumerate() {
            assert_eq!(bench.ask(u32::try_from(number).unwrap(), model, "", 0), Arrival::Waits);
            assert_eq!(bench.proceed(0), [0; 0]);
        }
        assert_eq!(bench.proceed(2), [0]);
        // Who asked for the model that is loaded by now has waited behind the other one's load all the same.
        assert_eq!(bench.proceed(4), [1, 2]);
    }

    #[test]
    fn w_111_with_a_queue_of_one_the_second_that_would_wait_is_refused_at_once() {
        let mut bench = TestLoads::new(1, None);
        bench.ask(0, "m", "", 0);
        bench.proceed(0);
        assert_eq!(bench.ask(1, "n", "", 0), Arrival::Waits);
        assert_eq!(bench.ask(2, "o", "", 0), Arrival::Busy);
        bench.proceed(2);
        assert_eq!(bench.ask(3, "m", "", 2), Arrival::Loaded, "a loaded model has no part in the queue");
    }

    #[test]
    fn another_load_time_option_loads_again_when_the_model_is_idle() {
        let mut bench = TestLoads::new(512, None);
        bench.ask(0, "m", "num_ctx=512", 0);
        bench.proceed(0);
        assert_eq!(bench.proceed(2), [0]);
        assert_eq!(bench.ask(1, "m", "num_ctx=1024", 3), Arrival::Waits);
        assert_eq!((bench.proceed(3), bench.loads.next_due()), (vec![], None), "it is busy");
        bench.end("m", 5);
        assert_eq!((bench.proceed(5), bench.loads.next_due()), (vec![], Some(at(7))));
        assert_eq!(bench.proceed(7), [1]);
    }

    #[test]
    fn at_the_limit_the_idle_model_that_is_kept_shortest_makes_room() {
        let mut bench = TestLoads::new(512, Some(2));
        for (number, model) in ["m", "n"].into_iter().enumerate() {
            bench.ask(u32::try_from(number).unwrap(), model, "", 0);
        }
        bench.proceed(0);
        bench.proceed(2);
        bench.proceed(4);
        bench.end("m", 4);
        bench.end("n", 4);
        bench.runners.load(&card("n"), "", Some(KeepAlive::For(Duration::from_secs(60))), at(4));
        bench.ask(2, "o", "", 5);
        bench.proceed(5);
        assert_eq!(bench.runners.find(&card("n"), "", at(5)), Found::Absent);
        assert_eq!(bench.runners.find(&card("m"), "", at(5)), Found::Loaded);
    }

    #[test]
    fn where_all_are_busy_room_is_made_when_one_ends_and_meanwhile_it_serves_on() {
        let mut bench = TestLoads::new(512, Some(1));
        bench.ask(0, "m", "", 0);
        bench.proceed(0);
        bench.proceed(2);
        bench.ask(1, "n", "", 3);
        assert_eq!(bench.proceed(3), [0; 0]);
        assert_eq!(bench.ask(2, "m", "", 4), Arrival::Loaded);
        bench.end("m", 5);
        assert_eq!(bench.proceed(5), [0; 0]);
        bench.end("m", 6);
        assert_eq!((bench.proceed(6), bench.loads.next_due()), (vec![], Some(at(8))));
        assert_eq!(bench.proceed(8), [1]);
    }

    #[test]
    fn who_hangs_up_in_the_queue_is_forgotten_and_a_load_that_began_goes_on() {
        let mut bench = TestLoads::new(512, None);
        for (number, model) in ["m", "n", "o"].into_iter().enumerate() {
            bench.ask(u32::try_from(number).unwrap(), model, "", 0);
        }
        bench.proceed(0);
        assert!(bench.loads.leave(&stream(0)) && bench.loads.leave(&stream(1)) && !bench.loads.leave(&stream(7)));
        assert_eq!(bench.proceed(2), [0; 0]);
        assert_eq!(bench.runners.find(&card("m"), "", at(2)), Found::Loaded);
        assert_eq!(bench.proceed(4), [2]);
    }
}
