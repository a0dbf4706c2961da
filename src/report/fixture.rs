//! A made-up experiment: two agents, any variants. No number in here was measured.

use std::collections::BTreeMap;
use std::time::Duration;

use mock_ollama::journal::{Answer, Entry, Journal};
use mock_ollama::recording::Chunk;

use super::build::build;
use super::inputs::{Inputs, Run};
use super::model::{Environment, Host, Kind, Report};
use crate::measure::bounds::{Bound, built_in};
use crate::measure::decision::DecisionRule;
use crate::measure::fixture::{agent, entry, exchange, journal, transcript};
use crate::transcript::{ExchangeLog, Transcript};
use crate::workload::fixture::recording;
use crate::workload::{AgentPlan, Workload};

/// When the chunks of both agents are due, in milliseconds. The last one has no token.
const DUE: [(&str, &[u64]); 2] = [("collector", &[100, 200, 300]), ("insight", &[80, 200])];

/// The agents alone: 300 ms and 200 ms.
pub(super) const ALONE: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(200)];

/// Two agents, each with a recording of its own whose lines are those of `measure::fixture`.
pub(super) fn workload() -> Workload {
    let recordings: Vec<_> = DUE
        .iter()
        .map(|(name, due)| {
            let mut recording = recording(&format!("made-up-{name}"), 1);
            let chunk = |&at: &u64| Chunk::new(at * 1_000, "123456789\n");
            recording.exchanges[0].chunks = due.iter().map(chunk).collect();
            recording
        })
        .collect();
    let agents = DUE
        .iter()
        .zip(&recordings)
        .map(|((name, _), recording)| AgentPlan::new(*name, crate::workload::file::requests_of(recording).unwrap()));
    Workload {
        name: "made-up".into(),
        description: "Two agents that never were; every number below is made up.".into(),
        agents: agents.collect(),
        limit: None,
        backend: mock_ollama::backend::Settings::default(),
        pace: "x1".into(),
        recordings,
    }
}

/// A run whose server is 1 ms late with every chunk and whose clients see each `late` ms after it was due.
pub(super) fn run(late: u64) -> (Transcript, Journal) {
    let mut agents = Vec::new();
    let mut entries = Vec::new();
    for (number, (name, due)) in (0..).zip(DUE) {
        let lines: Vec<(u64, bool)> = due.iter().map(|&at| (at + late, Some(&at) != due.last())).collect();
        let log = ExchangeLog { recording: format!("made-up-{name}"), ..exchange(0, &lines) };
        agents.push(crate::transcript::AgentLog { task: number, ..agent(name, 0, vec![log]) });
        let answer = Answer::Matched { recording: format!("made-up-{name}"), exchange: 0 };
        let sent: Vec<(u64, u64)> = due.iter().map(|&at| (at, at + 1)).collect();
        entries.push(Entry { answer, ..entry(name, 0, 0, &sent) });
    }
    (transcript(agents), journal(2, entries))
}

/// An experiment in memory: variant, block, what was seen, what the server did.
pub(super) type Experiment = Vec<One>;

/// One run of an experiment.
pub(super) type One = (&'static str, usize, Transcript, Journal);

/// Six blocks of each (variant, ms late); odd blocks are 1 ms slower for all.
pub(super) fn experiment(variants: &[(&'static str, u64)]) -> Experiment {
    let blocks = (0..6_usize).flat_map(|block| variants.iter().map(move |&variant| (block, variant)));
    blocks
        .map(|(block, (variant, late))| {
            let (seen, did) = run(late + (block as u64) % 2);
            (variant, block, seen, did)
        })
        .collect()
}

/// The report of an experiment, without bounds.
pub(super) fn report(experiment: &Experiment) -> Report {
    report_with(experiment, &[])
}

/// The report of an experiment under the built-in bounds.
pub(super) fn report_with_bounds(experiment: &Experiment) -> Report {
    report_with(experiment, &built_in().unwrap())
}

/// The report of an experiment. The smallest effect that matters is 10 ms.
pub(super) fn report_with(experiment: &Experiment, bounds: &[Bound]) -> Report {
    let workload = workload();
    let runs: Vec<Run<'_>> = experiment.iter().map(as_run).collect();
    build(&inputs(&workload, &runs, bounds)).unwrap()
}

pub(super) fn as_run((variant, block, transcript, journal): &One) -> Run<'_> {
    Run {
        variant,
        block: *block,
        transcript,
        journal,
        serial_wall: Some(Duration::from_millis(510)),
        code_wall: Some(Duration::from_millis(300)),
    }
}

pub(super) fn inputs<'a>(workload: &'a Workload, runs: &'a [Run<'a>], bounds: &'a [Bound]) -> Inputs<'a> {
    Inputs {
        workload,
        pace: "x1",
        seed: Some(7),
        alone: &ALONE,
        scripts_wall: Duration::from_millis(300),
        clock: Kind::Measured,
        runs,
        rule: DecisionRule { confidence: 0.95, smallest_effect: Duration::from_millis(10) },
        bounds,
        environment: Environment {
            clock: "made-up".into(),
            versions: BTreeMap::from([("runtime-lab".into(), "0.0.0".into()), ("tokio".into(), "0.0.0".into())]),
            host: Some(Host {
                os: "made-up OS 1".into(),
                arch: "made-up".into(),
                cores: 2,
                load_before: Some(0.5),
                load_after: None,
                profile: "debug".into(),
            }),
        },
    }
}
