//! The bounds that are built in, each with the control that breaks it.

#[cfg(feature = "controls")]
mod rounds;
#[cfg(feature = "controls")]
mod wall_clock;

use mock_ollama::recording::Chunk;
use mock_ollama::schedule::Pace;
use runtime_lab::for_each_variant;
use runtime_lab::measure::bounds::built_in;
use runtime_lab::run::Plan;
use runtime_lab::runtimes::{Runtime, of};
use runtime_lab::stats::Verdict;
use runtime_lab::variant::Variant;

use crate::lab::{bound, judge, plan, scenario};
use crate::util::{ALL, PATIENCE, Run, Scenario, perform, wall};

const IN_FLIGHT: &str = "every agent that may run has a stream in flight";
const FIRST_TOKEN: &str = "the first token is handed on with its chunk";
const NO_FAILURE: &str = "no exchange fails";
const OVERLAP: &str = "agents overlap";

/// A pace at which the duet takes half a second; the deterministic tests plan with it and do not wait for it.
const FASTER: f64 = 4.0;

fn duet(claims: Variant) -> Plan {
    plan("duet", Pace::recorded().faster(FASTER), claims)
}

#[test]
fn every_built_in_bound_is_tested_here() {
    let names: Vec<String> = built_in().unwrap().into_iter().map(|bound| bound.name).collect();
    assert_eq!(names, [IN_FLIGHT, FIRST_TOKEN, NO_FAILURE, OVERLAP]);
}

/// The duet, in which nothing leaves until both agents have asked, or until it is clear that one never will.
fn hold(plan: &Plan, runtime: &dyn Runtime, patience: std::time::Duration) -> Run {
    let agents = plan.workload.agents.len();
    perform(runtime, Scenario { pace: Pace::stepped(), ..scenario(plan) }, &wall(), |server| {
        let _ = server.in_flight(agents).within(patience).wait();
        for requests in 1..=agents {
            server.requests(requests).within(PATIENCE).wait().unwrap();
            server.release(ALL);
        }
    })
}

for_each_variant! {
    fn every_agent_that_may_run_has_a_stream_in_flight(variant: Variant) {
        let plan = duet(variant);
        let (kept, why) = judge(&plan, &hold(&plan, of(variant), PATIENCE), &bound(IN_FLIGHT));
        assert_eq!(kept, Verdict::Pass, "{why}");
    }
}

#[cfg(feature = "controls")]
#[test]
fn control_a_mutex_leaves_half_of_the_agents_out_of_flight() {
    let control = control("mutex-called-semaphore");
    let plan = duet(control.claims);
    let run = hold(&plan, control.runtime, std::time::Duration::from_millis(300));
    let (kept, why) = judge(&plan, &run, &bound(IN_FLIGHT));
    assert_eq!(kept, Verdict::Fail, "{why}");
    assert!(why.contains("max-in-flight-share is 0.5, min 1"), "{why}");
}

for_each_variant! {
    fn no_exchange_fails(variant: Variant) {
        let plan = duet(variant);
        let run = Scenario { pace: Pace::instant(), ..scenario(&plan) }.play(of(variant));
        let (kept, why) = judge(&plan, &run, &bound(NO_FAILURE));
        assert_eq!(kept, Verdict::Pass, "{why}");
    }
}

for_each_variant! {
    fn control_a_recording_that_breaks_off_is_a_failed_exchange(variant: Variant) {
        let plan = duet(variant);
        let mut broken = Scenario { pace: Pace::instant(), ..scenario(&plan) };
        let last: Option<Chunk> = broken.recordings[0].exchanges[0].chunks.pop();
        assert!(last.is_some());
        let (kept, why) = judge(&plan, &broken.play(of(variant)), &bound(NO_FAILURE));
        assert_eq!(kept, Verdict::Fail, "{why}");
    }
}

#[cfg(feature = "controls")]
fn control(name: &str) -> &'static runtime_lab::controls::Control {
    runtime_lab::controls::ALL.iter().find(|control| control.name == name).expect("a control of that name")
}
