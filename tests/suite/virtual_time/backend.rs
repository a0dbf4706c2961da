//! The machine behind the server, in memory and over sockets from the same code.

use std::num::NonZeroU32;
use std::time::Duration;

use mock_ollama::backend::{LoadLimits, Settings};
use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::runtimes::of;
use runtime_lab::workload::{AgentBehavior, WorkloadFile};

use super::recordings::steady;
use super::util::{in_memory_on, over_sockets_on};
use super::variants::assert_same_story;
use crate::util::Scenario;

/// Four agents that ask twice, of which one hangs up and one is impatient.
fn scenario() -> Scenario {
    let mut scenario = Scenario::each(4, vec![steady("one", 100, 10, 31), steady("two", 50, 7, 20)], Pace::recorded());
    scenario.agents[1].behavior = AgentBehavior { cancel_after: NonZeroU32::new(4), ..AgentBehavior::default() };
    scenario.agents[2].behavior =
        AgentBehavior { timeout: Some(Duration::from_millis(450)), retries: 1, ..AgentBehavior::default() };
    scenario
}

fn machines() -> [Settings; 4] {
    let slots = Settings { parallel: std::num::NonZeroUsize::new(2), ..Settings::default() };
    let load_time = Duration::from_millis(300);
    [
        Settings { share: "0.6,0.41".parse().unwrap(), ..Settings::default() },
        Settings { loads: Some(LoadLimits { load_time, queue: 2, ..LoadLimits::default() }), ..Settings::default() },
        Settings { share: "0.5".parse().unwrap(), ..slots.clone() },
        slots,
    ]
}

for_each_variant! {
    fn every_machine_tells_the_same_story_in_memory_and_over_sockets(variant: Variant) {
        for machine in machines() {
            let memory = in_memory_on(of(variant), &scenario(), &machine).unwrap();
            assert_same_story(&memory, &over_sockets_on(of(variant), &scenario(), &machine).unwrap());
        }
    }
}

#[test]
fn a_workload_file_states_the_machine() {
    let text = "name = \"w\"\ndescription = \"d\"\n[backend]\nshare = \"0.41\"\nparallel = 1\nload_ms = 5\nmax_queue = 9\n\
                [[agent]]\nrecordings = [\"tiny-short\"]\n";
    let file = WorkloadFile::parse(text, std::path::Path::new("w.toml")).unwrap();
    let named = [crate::util::fixture("tiny-short")];
    let machine = file.resolve(runtime_lab::workload::Library::of(&named)).unwrap().backend;
    assert_eq!((machine.parallel.unwrap().get(), machine.share.to_string()), (1, "0.41".to_owned()));
    let loads = machine.loads.unwrap();
    assert_eq!((loads.queue, loads.load_time), (9, Duration::from_millis(5)));
}
