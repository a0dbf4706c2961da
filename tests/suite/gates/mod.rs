//! Gates: what must be true of a runtime, whatever it says of itself.
//!
//! A gate runs a whole runtime against the mock server and rejects it in words. Every clean variant passes every gate;
//! every control is rejected by the gate that guards against its fault, and by no other.

#[cfg(feature = "controls")]
mod controls;
mod rules;

use std::time::Duration;

use runtime_lab::for_each_variant;
use runtime_lab::runtimes::{Runtime, of};
use runtime_lab::variant::Variant;

use crate::util::PATIENCE;

/// Who is to pass a gate.
#[derive(Clone, Copy)]
struct Candidate {
    runtime: &'static dyn Runtime,
    /// What it claims to be.
    claims: Variant,
    /// How long it may take to do what only a wrong one leaves undone.
    patience: Duration,
}

impl Candidate {
    fn clean(variant: Variant) -> Self {
        Self { runtime: of(variant), claims: variant, patience: PATIENCE }
    }
}

/// Something that must be true.
struct Gate {
    name: &'static str,
    /// The control that it must reject.
    #[cfg_attr(not(feature = "controls"), expect(dead_code, reason = "there are no controls to look up"))]
    control: &'static str,
    judge: fn(&Candidate) -> Result<(), String>,
}

/// All gates.
const GATES: &[Gate] = &[
    Gate { name: "overlap", control: "mutex-called-semaphore", judge: rules::overlap },
    Gate { name: "first-token", control: "accumulate-1kb", judge: rules::first_token },
    Gate { name: "bytes", control: "lossy-utf8", judge: rules::bytes },
    Gate { name: "typed-end", control: "ignores-missing-done", judge: rules::typed_end },
    Gate { name: "own-threads", control: "hidden-tokio", judge: rules::own_threads },
    Gate { name: "spawned", control: "joined-not-spawned", judge: rules::spawned },
];

for_each_variant! {
    fn a_clean_variant_passes_every_gate(variant: Variant) {
        for gate in GATES {
            assert_eq!((gate.judge)(&Candidate::clean(variant)), Ok(()), "gate {}", gate.name);
        }
    }
}
