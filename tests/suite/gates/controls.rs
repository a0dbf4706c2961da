//! Controls at the gates.

use std::collections::BTreeSet;
use std::time::Duration;

use runtime_lab::controls::{ALL, Control};

use super::{Candidate, GATES, Gate};
use crate::util::PATIENCE;

/// How long a control is waited for by the gate that guards it, in vain. What it is rejected for does not depend on it.
const IN_VAIN: Duration = Duration::from_millis(300);

fn candidate(control: &Control, patience: Duration) -> Candidate {
    Candidate { runtime: control.runtime, claims: control.claims, patience }
}

fn guards(gate: &Gate, control: &Control) -> bool {
    gate.control == control.name
}

#[test]
fn every_control_has_one_gate_and_every_gate_has_a_control() {
    let guarded: Vec<&str> = GATES.iter().map(|gate| gate.control).collect();
    let controls: Vec<&str> = ALL.iter().map(|control| control.name).collect();
    let sorted = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!((sorted(&guarded), guarded.len()), (sorted(&controls), controls.len()));
}

#[test]
fn a_control_is_rejected_by_its_gate_in_words_that_name_its_fault() {
    let rejections: Vec<String> = ALL
        .iter()
        .map(|control| {
            let gate = GATES.iter().find(|gate| guards(gate, control)).expect("every control has a gate");
            let words = (gate.judge)(&candidate(control, IN_VAIN)).expect_err(control.name);
            format!("{} at {}: {words}", control.name, gate.name)
        })
        .collect();
    insta::assert_snapshot!(rejections.join("\n"), @r#"
    mutex-called-semaphore at overlap: the limiter admits 2 agents, but at most 1 were in flight together
    accumulate-1kb at first-token: the first token was held back until 11 chunks had come
    lossy-utf8 at bytes: the body differs from what was served from byte 110
    ignores-missing-done at typed-end: no final object was reported as done, an error line was reported as done
    hidden-tokio at own-threads: threads that are not its own took part: {"hidden-tokio"}
    joined-not-spawned at spawned: 3 agents ran in 1 task(s)
    "#);
}

#[test]
fn a_control_is_wrong_in_one_way_and_passes_the_other_gates() {
    for control in ALL {
        for gate in GATES.iter().filter(|gate| !guards(gate, control)) {
            assert_eq!((gate.judge)(&candidate(control, PATIENCE)), Ok(()), "{} at {}", control.name, gate.name);
        }
    }
}
