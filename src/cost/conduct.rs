//! Rounds of child processes.

use std::path::Path;
use std::time::Duration;

use mock_ollama::journal::Journal;
use mock_ollama::schedule::Pace;

use crate::run::{Part, Progress, ServerOrders, Stage, environment, load, read_json, write_json};
use crate::workload::Job;

use super::calls::tracepoints;
use super::part::{Left, Orders};
use super::summary::summarise;
use super::tally::{Measured, on_the_wire, seen, values};
use super::{CostError, CostPlan, CostReport, Who, tape};

/// How much longer than planned a measurement may take before it is given up: this many times …
const LIMIT_TIMES: u32 = 4;

/// … and this much on top.
const LIMIT_EXTRA: Duration = Duration::from_secs(60);

/// Measures everything that the plan asks for: a round to warm up, of which only the system calls are kept, and the rounds that
/// count. In each, every size in turn; of each size everyone, in an order that the seed gives.
///
/// `program` is this program's own executable, which plays server and agents as child processes.
pub fn measure(program: &Path, plan: &CostPlan, progress: &mut dyn Progress) -> Result<CostReport, CostError> {
    let stage = Stage::empty()?;
    let load_before = load();
    progress.begin(plan.measurements());
    let (mut all, mut kept) = (Vec::new(), plan.cores.is_some());
    for round in 0..=plan.rounds {
        for &(agents, pace) in &plan.sizes {
            for who in plan.order(agents, round) {
                progress.run(&format!("round {round} of {}: {who}, {agents} agents", plan.rounds));
                let (one, stayed) = Setting { program, plan, stage: &stage, agents, pace, round }.perform(who)?;
                kept &= stayed;
                all.push(one);
            }
        }
    }
    progress.end();
    Ok(summarise(plan, &all, kept, environment(load_before, load())))
}

/// One size in one round.
struct Setting<'a> {
    program: &'a Path,
    plan: &'a CostPlan,
    stage: &'a Stage,
    agents: usize,
    pace: Pace,
    round: usize,
}

impl Setting<'_> {
    /// One measurement, and whether it kept to its cores.
    fn perform(&self, who: Who) -> Result<(Measured, bool), CostError> {
        let (left, mut journal) = self.play(who)?;
        let incomplete = |why| CostError::Incomplete { who: who.name(), agents: self.agents, why };
        let tokens = (self.agents * self.plan.tokens) as u64;
        if let Some(why) = left.failure {
            return Err(incomplete(why));
        }
        if let Some(found) = left.tokens.filter(|&found| found != tokens) {
            return Err(incomplete(format!("{found} of {tokens} tokens")));
        }
        if who == Who::Floor {
            on_the_wire(&mut journal, &left.transcript).map_err(incomplete)?;
        }
        let seen = seen(&journal, &left.transcript, tokens).map_err(incomplete)?;
        let system_calls = left.system_calls.transpose();
        let measured = Measured {
            who,
            agents: self.agents,
            round: self.round,
            executor: left.transcript.introspection.executor,
            uncounted: system_calls.as_ref().err().cloned(),
            values: values(&left.spent, system_calls.unwrap_or_default(), seen),
        };
        Ok((measured, left.kept))
    }

    /// A server in its own process, the agents in theirs.
    fn play(&self, who: Who) -> Result<(Left, Journal), CostError> {
        let Self { program, plan, stage, .. } = self;
        let (server_core, agent_cores) = plan.cores.clone().unzip();
        stage.put(&[tape::tape(plan.tokens), tape::warm_up()], |recordings| ServerOrders {
            recordings,
            pace: self.pace.to_string(),
            seed: plan.seed,
            backend: mock_ollama::backend::Settings::default(),
            cores: server_core.into_iter().collect(),
        })?;
        let mut server = Part::start(program, "serve", ["__serve".into(), stage.orders(), stage.journal()])?;
        let url = server.first_line()?;
        let job = |agents| Job { url: url.clone(), agents, limit: None };
        let (job, warm_up) = (job(tape::agents(self.agents)), job(vec![tape::first_agent()]));
        let orders = Orders {
            job,
            warm_up,
            cores: agent_cores.unwrap_or_default(),
            tracepoints: tracepoints(self.round),
            chunks: plan.tokens + 1,
        };
        write_json(&stage.job(), &orders)?;
        let part = ["__cost".into(), who.name().into(), stage.job(), stage.transcript()];
        let mut agents = Part::start(program, &format!("measure {who}"), part)?;
        agents.finish(plan.estimate_of(self.agents, self.pace) * LIMIT_TIMES + LIMIT_EXTRA)?;
        server.end()?;
        Ok((read_json(&stage.transcript())?, read_json(&stage.journal())?))
    }
}
