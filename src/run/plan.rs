//! The options resolved: workload, schedule, order, cost.

use std::path::Path;
use std::time::Duration;

use mock_ollama::Per;
use mock_ollama::backend::Settings;
use mock_ollama::catalog::{Catalog, builtin};
use mock_ollama::engine::Config;
use mock_ollama::files::read_text;
use mock_ollama::journal::{Keep, StreamId};
use mock_ollama::recording::{Recording, read_file};
use mock_ollama::schedule::{Pace, Schedule};
use mock_ollama::seed::Seed;
use rand::seq::SliceRandom as _;

use super::{ClockKind, RunError, RunOptions, WorkloadChoice};
use crate::measure::factors::ideal_wall;
use crate::papers::replay;
use crate::sim::scripts;
use crate::stats::quantile::MAX_SAMPLES;
use crate::variant::Variant;
use crate::workload::{Library, Workload, WorkloadFile, select};

/// What a whole invocation may take when the number of runs is left open.
const DEFAULT_TIME_BUDGET: Duration = Duration::from_secs(45);

/// The most blocks that are chosen when the number of runs is left open: nine give an interval of 99.6 % for each of
/// the ten pairs of five variants, which is the 95 % for all of them together.
const MAX_DEFAULT_BLOCKS: u32 = 9;

/// The most blocks: what is seen of each is kept, and beyond no interval is computed.
pub(super) const MAX_RUNS: usize = MAX_SAMPLES;

/// The largest file of a workload, in bytes.
const MAX_WORKLOAD_BYTES: u64 = 16 << 20;

/// What starting and ending two child processes takes, roughly.
const CHILD_ROUND_OVERHEAD: Duration = Duration::from_millis(60);

/// Everything that a run needs to know, with nothing left open.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The variants, in the order of reports.
    pub variants: Vec<Variant>,
    /// The workload.
    pub workload: Workload,
    /// The pace.
    pub pace: Pace,
    /// The number of blocks.
    pub blocks: usize,
    /// The seed of every random choice.
    pub seed: Seed,
    /// How long each agent takes alone on an idle backend.
    pub alone: Vec<Duration>,
    /// How long the scripts take on the backend when all agents begin at once and nothing limits them.
    pub scripts_wall: Duration,
    /// Which clock it goes by.
    pub clock: ClockKind,
    /// The flags that say what is run, for the command that repeats it.
    flags: String,
}

/// One measured run and its serial counterpart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledRun {
    /// The variant.
    pub variant: Variant,
    /// Whether the serial run comes first.
    pub serial_first: bool,
}

impl Plan {
    /// Resolves names, computes schedules, and chooses what was left open.
    pub fn new(options: &RunOptions) -> Result<Self, RunError> {
        if let Some(runs) = options.runs.filter(|runs| runs.get() > MAX_RUNS) {
            return Err(RunError::TooManyRuns(runs.get()));
        }
        if options.variants.is_empty() {
            return Err(RunError::NoVariant);
        }
        let workload = find_workload(options)?;
        let pace = match options.pace {
            Some(pace) => pace,
            None => {
                workload.pace.parse().map_err(|source| RunError::Pace { workload: workload.name.clone(), source })?
            }
        };
        let (agents, most) = (workload.agents.len(), options.clock.most_agents());
        if agents > most {
            return Err(RunError::TooManyAgents { agents, most, clock: options.clock });
        }
        let config = config(&workload, pace, options.seed);
        let by_schedule = workload.backend == Settings::default();
        let alone = if by_schedule { alone(&workload, pace, options.seed) } else { alone_on(&config, &workload) };
        if alone.iter().all(Duration::is_zero) {
            return Err(RunError::NoTime { pace });
        }
        let scripts_wall = scripts::wall(config, &workload.agents);
        let mut plan = Self {
            variants: options.variants.clone(),
            workload,
            pace,
            blocks: 0,
            seed: options.seed,
            alone,
            scripts_wall,
            clock: options.clock,
            flags: flags(options),
        };
        plan.blocks = match (options.runs, options.clock) {
            (Some(runs), _) => runs.get(),
            (None, ClockKind::Wall) => plan.blocks_that_fit(),
            // Every other block would be the same.
            (None, _) => 1,
        };
        Ok(plan)
    }

    /// The server of this plan, for runs in memory.
    pub fn config(&self) -> Config {
        config(&self.workload, self.pace, self.seed)
    }

    /// The command that repeats a run of this variant.
    pub fn command(&self, variant: Variant) -> String {
        format!("runtime-lab run {} --pace {} --variant {variant}", self.flags, self.pace)
    }

    /// The least wall time that the schedules and the workload's limit allow.
    pub fn ideal_wall(&self) -> Duration {
        ideal_wall(&self.alone, self.workload.limit)
    }

    /// The time that the agents take one after the other.
    pub fn serial_wall(&self) -> Duration {
        self.alone.iter().sum()
    }

    /// The time that the whole plan takes, roughly.
    pub fn estimate(&self) -> Duration {
        let blocks = u32::try_from(self.blocks).unwrap_or(u32::MAX);
        self.block_cost().saturating_mul(blocks).saturating_add(self.warm_up_cost())
    }

    fn block_cost(&self) -> Duration {
        (self.ideal_wall() + self.serial_wall() + 2 * CHILD_ROUND_OVERHEAD).saturating_mul(self.count())
    }

    fn warm_up_cost(&self) -> Duration {
        (self.ideal_wall() + CHILD_ROUND_OVERHEAD).saturating_mul(self.count())
    }

    fn count(&self) -> u32 {
        u32::try_from(self.variants.len()).unwrap_or(u32::MAX)
    }

    fn blocks_that_fit(&self) -> usize {
        let left = DEFAULT_TIME_BUDGET.saturating_sub(self.warm_up_cost());
        (1..=MAX_DEFAULT_BLOCKS).rev().find(|blocks| self.block_cost() * *blocks <= left).unwrap_or(1) as usize
    }

    /// The order of a block: every variant once, shuffled by the seed.
    pub fn order(&self, block: usize) -> Vec<ScheduledRun> {
        let mut rng = self.seed.derive("order", [block.to_le_bytes().as_slice()]).rng();
        let mut variants = self.variants.clone();
        variants.shuffle(&mut rng);
        let mut coins = vec![false; variants.len()];
        for (n, coin) in coins.iter_mut().enumerate() {
            *coin = n % 2 == block % 2;
        }
        coins.shuffle(&mut rng);
        variants.into_iter().zip(coins).map(|(variant, serial_first)| ScheduledRun { variant, serial_first }).collect()
    }
}

fn config(workload: &Workload, pace: Pace, seed: Seed) -> Config {
    let catalog = Catalog::new(workload.recordings.iter().cloned()).into();
    // A report needs every chunk; the workload's own limits bound them.
    Config {
        catalog,
        pace,
        seed,
        backend: workload.backend.clone(),
        keep: Keep::ALL,
        per: Per::Caller,
        ..Config::default()
    }
}

/// How long each agent takes alone on this backend, loads included.
fn alone_on(config: &Config, workload: &Workload) -> Vec<Duration> {
    workload.agents.iter().map(|agent| scripts::wall(config.clone(), std::slice::from_ref(agent))).collect()
}

fn flags(options: &RunOptions) -> String {
    let agents = options.agents.map_or_else(String::new, |agents| format!(" --agents {agents}"));
    format!("--clock {} --workload {}{agents} --seed {}", options.clock, options.workload, options.seed)
}

fn find_workload(options: &RunOptions) -> Result<Workload, RunError> {
    let named: Vec<Recording> = builtin::names().filter_map(builtin::recording).collect::<Result<_, _>>()?;
    match &options.workload {
        WorkloadChoice::Named(name) => match name.strip_prefix(replay::PREFIX) {
            Some(run) => Ok(replay::select(run, options.agents)?),
            None => Ok(select(name, options.agents, Library::of(&named))?),
        },
        WorkloadChoice::File(path) => from_file(path, options, &named),
    }
}

fn from_file(path: &Path, options: &RunOptions, named: &[Recording]) -> Result<Workload, RunError> {
    let text = read_text(path, MAX_WORKLOAD_BYTES).map_err(RunError::file("read", path))?;
    let mut file = WorkloadFile::parse(&text, path)?;
    if let Some(agents) = options.agents {
        file = file.with_agents(agents).map_err(RunError::Agents)?;
    }
    let read = |recording: &Path| read_file(recording).map_err(Into::into);
    Ok(file.resolve(Library { named, read: &read })?)
}

/// How long each agent takes alone where nothing else counts: its thinking, and its streams to their last chunks.
fn alone(workload: &Workload, pace: Pace, seed: Seed) -> Vec<Duration> {
    let length = |recording: &str, exchange: usize, stream: &StreamId| {
        let found = workload.recordings.iter().find(|known| known.name == recording)?;
        let times = found.exchanges.get(exchange)?.chunks.iter().map(|chunk| Duration::from_micros(chunk.at_us));
        Schedule::of_stream(pace, seed, stream).offsets(times).last().copied()
    };
    let agents = workload.agents.iter().map(|agent| {
        let requests = agent.requests.iter().zip(0_u32..);
        let streams = requests
            .filter_map(|(request, n)| length(&request.recording, request.exchange, &StreamId::of(&agent.name, n)));
        let thinking = agent.behavior.think.saturating_mul(u32::try_from(agent.requests.len()).unwrap_or(u32::MAX));
        streams.sum::<Duration>() + thinking
    });
    agents.collect()
}

#[cfg(all(test, feature = "runtime-smol"))]
mod tests {
    use std::num::NonZeroUsize;

    use super::{MAX_DEFAULT_BLOCKS, Plan};
    use crate::run::{ClockKind, RunOptions, WorkloadChoice};
    use crate::variant::Variant;

    fn plan(workload: &str, runs: usize) -> Plan {
        let options = RunOptions {
            variants: Variant::ALL.to_vec(),
            workload: WorkloadChoice::parse(workload),
            agents: None,
            pace: None,
            runs: NonZeroUsize::new(runs),
            seed: mock_ollama::seed::Seed(1),
            clock: ClockKind::Wall,
        };
        Plan::new(&options).unwrap()
    }

    #[test]
    fn the_default_workload_fits_enough_blocks_for_an_interval_into_a_minute() {
        let plan = plan("duet", 0);
        assert_eq!(plan.blocks, MAX_DEFAULT_BLOCKS as usize);
        assert!(plan.estimate().as_secs() < 60, "{:?}", plan.estimate());
    }

    #[test]
    fn agents_of_the_duet_are_unequal_and_the_longer_one_is_the_ideal_wall_time() {
        let plan = plan("duet", 1);
        assert_eq!(plan.alone.len(), 2);
        assert!(plan.alone[0] > plan.alone[1]);
        assert_eq!(plan.ideal_wall(), plan.alone[0]);
        assert_eq!(plan.serial_wall(), plan.alone[0] + plan.alone[1]);
    }

    #[test]
    fn a_block_has_every_variant_once_in_an_order_that_the_seed_gives() {
        let plan = plan("duet", 4);
        let orders: Vec<_> = (0..4).map(|block| plan.order(block)).collect();
        for order in &orders {
            let mut variants: Vec<_> = order.iter().map(|run| run.variant).collect();
            variants.sort_unstable();
            assert_eq!(variants, Variant::ALL);
        }
        assert_eq!(orders, (0..4).map(|block| plan.order(block)).collect::<Vec<_>>());
        if Variant::ALL.len() > 2 {
            assert!(orders.iter().any(|order| *order != orders[0]), "the order changes from block to block");
        }
    }
}
