//! Rounds of child processes.

use std::path::Path;
use std::time::Duration;

use mock_ollama::journal::Journal;
use mock_ollama::schedule::Pace;

use crate::run::{ProgressObserver, ServerConfigFile, Workdir, environment, load};
use crate::workload::Job;

use super::calls::tracepoints;
use super::child_main::{CostJob, CostResult};
use super::measurements::{Measured, on_the_wire, seen, values};
use super::summary::summarise;
use super::{CostError, CostPlan, CostReport, Subject, recording};

/// How much longer than planned a measurement may take before it is given up: this many times …
const RUN_TIMEOUT_FACTOR: u32 = 4;

/// … and this much on top.
const RUN_TIMEOUT_MARGIN: Duration = Duration::from_secs(60);

/// Measures everything that the plan asks for: a round to warm up, of which only the system calls are kept, and the rounds that
/// count. In each, every size in turn; of each size everyone, in an order that the seed gives.
///
/// `program` is this program's own executable, which plays server and agents as child processes.
pub fn measure(program: &Path, plan: &CostPlan, progress: &mut dyn ProgressObserver) -> Result<CostReport, CostError> {
    let workdir = Workdir::new()?;
    let load_before = load();
    progress.begin(plan.measurements());
    let (mut all, mut kept) = (Vec::new(), plan.cores.is_some());
    for round in 0..=plan.rounds {
        for &(agents, pace) in &plan.sizes {
            for subject in plan.order(agents, round) {
                progress.run(&format!("round {round} of {}: {subject}, {agents} agents", plan.rounds));
                let (one, stayed) =
                    Round { program, plan, workdir: &workdir, agents, pace, number: round }.perform(subject)?;
                kept &= stayed;
                all.push(one);
            }
        }
    }
    progress.end();
    Ok(summarise(plan, &all, kept, environment(load_before, load())))
}

/// One size in one round.
struct Round<'a> {
    program: &'a Path,
    plan: &'a CostPlan,
    workdir: &'a Workdir,
    agents: usize,
    pace: Pace,
    number: usize,
}

impl Round<'_> {
    /// One measurement, and whether it kept to its cores.
    fn perform(&self, subject: Subject) -> Result<(Measured, bool), CostError> {
        let (result, mut journal) = self.play(subject)?;
        let incomplete = |why| CostError::Incomplete { subject: subject.name(), agents: self.agents, why };
        let tokens = (self.agents * self.plan.tokens) as u64;
        if let Some(why) = result.failure {
            return Err(incomplete(why));
        }
        if let Some(found) = result.tokens.filter(|&found| found != tokens) {
            return Err(incomplete(format!("{found} of {tokens} tokens")));
        }
        if subject == Subject::Floor {
            on_the_wire(&mut journal, &result.transcript).map_err(incomplete)?;
        }
        let seen = seen(&journal, &result.transcript, tokens).map_err(incomplete)?;
        let system_calls = result.system_calls.transpose();
        let measured = Measured {
            subject,
            agents: self.agents,
            round: self.number,
            executor: result.transcript.introspection.executor,
            uncounted: system_calls.as_ref().err().cloned(),
            values: values(&result.spent, system_calls.unwrap_or_default(), seen),
        };
        Ok((measured, result.kept))
    }

    /// Runs a server in its own process and the agents in theirs.
    fn play(&self, subject: Subject) -> Result<(CostResult, Journal), CostError> {
        let Self { program, plan, workdir, .. } = self;
        let (server_core, agent_cores) = plan.cores.clone().unzip();
        workdir.write_inputs(&[recording::measured(plan.tokens), recording::warm_up()], |recordings| {
            ServerConfigFile {
                recordings,
                pace: self.pace.to_string(),
                seed: plan.seed,
                backend: mock_ollama::backend::Settings::default(),
                cores: server_core.into_iter().collect(),
            }
        })?;
        let job = |url: String| CostJob {
            job: Job { url: url.clone(), agents: recording::agents(self.agents), limit: None },
            warm_up: Job { url, agents: vec![recording::first_agent()], limit: None },
            cores: agent_cores.unwrap_or_default(),
            tracepoints: tracepoints(self.number),
            chunks: plan.tokens + 1,
        };
        let purpose = format!("measure {subject}");
        let limit = plan.estimate_of(self.agents, self.pace) * RUN_TIMEOUT_FACTOR + RUN_TIMEOUT_MARGIN;
        Ok(workdir.run_children(program, ["__cost", subject.name(), &purpose], job, limit)?)
    }
}
