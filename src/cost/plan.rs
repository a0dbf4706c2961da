//! The options resolved: sizes, paces, order, time.

use std::time::Duration;

use mock_ollama::schedule::{Base, Pace};
use mock_ollama::seed::Seed;
use rand::seq::SliceRandom as _;

use crate::run::allowed_cores;
use crate::stats::quantile::MAX_SAMPLES;
use crate::variant::Variant;

use super::{CostError, LeftOut, Subject, meter};

/// The most agents that it is used with.
const MAX_AGENTS: usize = 10_000;

/// The most tokens an answer may have: what is seen of each is kept.
const MAX_TOKENS: usize = 10_000;

/// The most rounds: beyond, no interval is computed.
const MAX_ROUNDS: usize = MAX_SAMPLES;

/// From token to token of one agent, where no pace is asked for …
const GAP: Duration = Duration::from_millis(10);

/// … or longer, so that all agents together get no more tokens than one a time so long: a core that is never idle would show
/// queues in place of costs.
const GAP_PER_AGENT: Duration = Duration::from_micros(40);

/// Descriptors that a process has beside one an agent: its standard ones, a listener, what its executor waits with.
const OTHER_DESCRIPTORS: u64 = 64;

/// Chunks of the answer that goes before the one that is measured.
const WARM_UP_CHUNKS: usize = 3;

/// What starting and ending two children takes, roughly …
const CHILDREN: Duration = Duration::from_millis(80);

/// … and what connecting an agent and writing down what it saw adds.
const PER_AGENT: Duration = Duration::from_micros(800);

/// What is to be measured. What is left open is chosen by [`CostPlan::new`] and printed.
#[derive(Clone, Debug)]
pub struct CostOptions {
    /// The variants; each once.
    pub variants: Vec<Variant>,
    /// The numbers of agents.
    pub agents: Vec<usize>,
    /// The pace; one that no core is busy with when absent.
    pub pace: Option<Pace>,
    /// Tokens of each answer.
    pub tokens: usize,
    /// Rounds that count; one more goes before them.
    pub rounds: usize,
    /// The seed of every random choice.
    pub seed: Seed,
}

/// Everything that is to be measured, with nothing left open.
#[derive(Clone, Debug, PartialEq)]
pub struct CostPlan {
    /// The variants, in the order of reports.
    pub variants: Vec<Variant>,
    /// The numbers of agents, ascending, each with its pace.
    pub sizes: Vec<(usize, Pace)>,
    /// Numbers of agents that need more descriptors than there are.
    pub left_out: Vec<LeftOut>,
    /// Tokens of each answer.
    pub tokens: usize,
    /// Rounds that count; one more goes before them.
    pub rounds: usize,
    /// The seed of every random choice.
    pub seed: Seed,
    /// The core that the server keeps to, and those of the agents; none where there are no two.
    pub cores: Option<(usize, Vec<usize>)>,
}

impl CostPlan {
    /// Resolves sizes and cores, and raises this process's limit of descriptors, which its children inherit.
    pub fn new(options: &CostOptions) -> Result<Self, CostError> {
        check(options)?;
        Self::within(options, meter::raise_descriptors(), &allowed_cores())
    }

    fn within(options: &CostOptions, descriptors: u64, cores: &[usize]) -> Result<Self, CostError> {
        let mut agents = options.agents.clone();
        agents.sort_unstable();
        agents.dedup();
        let (mut sizes, mut left_out) = (Vec::new(), Vec::new());
        for agents in agents {
            let needed = agents as u64 + OTHER_DESCRIPTORS;
            if needed > descriptors {
                left_out.push(LeftOut { agents, needed, limit: descriptors });
            } else {
                sizes.push((agents, options.pace.unwrap_or_else(|| pace_for(agents))));
            }
        }
        match left_out.first() {
            Some(fewest) if sizes.is_empty() => Err(CostError::TooFewDescriptors(*fewest)),
            _ => Ok(Self {
                variants: options.variants.clone(),
                sizes,
                left_out,
                tokens: options.tokens,
                rounds: options.rounds,
                seed: options.seed,
                cores: apart(cores),
            }),
        }
    }

    /// The floor and the variants in the order in which a round measures them, which the seed gives.
    pub fn order(&self, agents: usize, round: usize) -> Vec<Subject> {
        let place = [agents.to_le_bytes(), round.to_le_bytes()];
        let mut rng = self.seed.derive("cost", place.iter().map(<[u8; 8]>::as_slice)).rng();
        let mut all = self.everyone();
        all.shuffle(&mut rng);
        all
    }

    /// The floor and the variants in the order of reports.
    pub fn everyone(&self) -> Vec<Subject> {
        std::iter::once(Subject::Floor).chain(self.variants.iter().copied().map(Subject::Variant)).collect()
    }

    /// How many measurements it is, those that warm up included.
    pub fn measurements(&self) -> usize {
        self.sizes.len() * (self.rounds + 1) * (self.variants.len() + 1)
    }

    /// The time that it all takes, roughly.
    pub fn estimate(&self) -> Duration {
        let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let of_a_size = small((self.rounds + 1) * (self.variants.len() + 1));
        let one = |&(agents, pace): &(usize, Pace)| self.estimate_of(agents, pace).saturating_mul(of_a_size);
        self.sizes.iter().map(one).sum()
    }

    /// The time that one measurement takes, roughly.
    pub(super) fn estimate_of(&self, agents: usize, pace: Pace) -> Duration {
        let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let gap = match pace.base {
            Base::Gap(gap) => gap,
            Base::Recorded { speed } => GAP.div_f64(speed),
            Base::Instant | Base::Stepped | Base::Stated => Duration::ZERO,
        };
        let stream = pace.ttft.unwrap_or_default() + gap.saturating_mul(small(self.tokens + 1 + WARM_UP_CHUNKS));
        stream + CHILDREN + PER_AGENT.saturating_mul(small(agents))
    }
}

fn check(options: &CostOptions) -> Result<(), CostError> {
    if options.variants.is_empty() {
        return Err(CostError::NoVariant);
    }
    let agents = options.agents.iter().copied().max().unwrap_or(0);
    let counts = [
        (agents, "agents", MAX_AGENTS),
        (options.tokens, "tokens an agent", MAX_TOKENS),
        (options.rounds, "rounds", MAX_ROUNDS),
    ];
    match counts.into_iter().find(|(asked, _, limit)| asked > limit) {
        Some((asked, what, limit)) => Err(CostError::TooMany { asked, what, limit }),
        None => Ok(()),
    }
}

fn pace_for(agents: usize) -> Pace {
    let gap = GAP_PER_AGENT.saturating_mul(u32::try_from(agents).unwrap_or(u32::MAX)).max(GAP);
    Pace { base: Base::Gap(gap), ..Pace::recorded() }
}

/// The last core for the server, all others for the agents.
fn apart(cores: &[usize]) -> Option<(usize, Vec<usize>)> {
    let (&server, agents) = cores.split_last()?;
    (!agents.is_empty()).then(|| (server, agents.to_vec()))
}

#[cfg(all(test, feature = "runtime-smol"))]
mod tests {
    use super::*;

    fn options(agents: &[usize]) -> CostOptions {
        CostOptions {
            variants: Variant::ALL.to_vec(),
            agents: agents.to_vec(),
            pace: None,
            tokens: 200,
            rounds: 9,
            seed: Seed(1),
        }
    }

    #[test]
    fn sizes_beyond_the_descriptors_are_left_out_and_said() {
        let plan = CostPlan::within(&options(&[512, 8, 8, 1]), 500, &[0, 1]).unwrap();
        assert_eq!(plan.sizes.iter().map(|size| size.0).collect::<Vec<_>>(), [1, 8]);
        assert_eq!(plan.left_out, [LeftOut { agents: 512, needed: 576, limit: 500 }]);
    }

    #[test]
    fn where_no_size_is_left_nothing_is_measured() {
        let refused = CostPlan::within(&options(&[512]), 500, &[0, 1]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "512 agents need 576 descriptors, and this process may have 500; raise `ulimit -n`"
        );
    }

    #[test]
    fn the_pace_that_nobody_chose_slows_down_where_many_agents_would_never_let_a_core_rest() {
        let plan = CostPlan::within(&options(&[1, 200, 4096]), 10_000, &[]).unwrap();
        let paces: Vec<String> = plan.sizes.iter().map(|(_, pace)| pace.to_string()).collect();
        assert_eq!(paces, ["gap=10ms", "gap=10ms", "gap=163.84ms"]);
    }

    #[test]
    fn a_server_has_a_core_of_its_own_and_the_agents_have_the_others() {
        assert_eq!(apart(&[0, 2, 3]), Some((3, vec![0, 2])));
        assert_eq!([apart(&[0]), apart(&[])], [None, None]);
    }

    #[test]
    fn a_round_measures_everyone_once_in_an_order_that_the_seed_gives() {
        let plan = CostPlan::within(&options(&[1, 8]), 10_000, &[]).unwrap();
        let mut orders = Vec::new();
        for (agents, round) in [(1, 0), (1, 1), (8, 0), (8, 1)] {
            let order = plan.order(agents, round);
            assert_eq!(order, plan.order(agents, round));
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, plan.everyone());
            orders.push(order);
        }
        assert!(Variant::ALL.len() < 3 || orders.iter().any(|order| *order != orders[0]));
    }
}
