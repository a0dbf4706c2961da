//! What only some clients do.

use runtime_lab::runtimes::of;
use runtime_lab::transcript::ExchangeOutcome;
use runtime_lab::variant::{ClientKind, Variant};

use crate::canned::{Canned, End, Reply, run};

const DONE: &str = "{\"response\":\"\",\"done\":true}\n";

fn on_hyper() -> impl Iterator<Item = Variant> {
    let on_hyper = |variant: &Variant| matches!(variant.facts().client, ClientKind::Hyper { .. });
    Variant::ALL.iter().copied().filter(on_hyper)
}

#[test]
fn an_agent_on_hyper_keeps_its_connection_and_shares_it_with_nobody() {
    for variant in on_hyper() {
        let canned = Canned::new(Reply::stream([DONE]));
        run(of(variant), &canned.job(3, 4));
        let seen = canned.seen();
        assert_eq!((seen.connections, seen.requests.len()), (3, 12), "{variant}");
    }
}

#[test]
fn an_agent_on_hyper_connects_again_when_the_server_has_closed_the_connection() {
    for variant in on_hyper() {
        let canned = Canned::new(Reply { end: End::CleanThenClosed, ..Reply::stream([DONE]) });
        let transcript = run(of(variant), &canned.job(1, 3));
        let mut outcomes = transcript.agents[0].exchanges.iter().map(|exchange| &exchange.outcome);
        assert!(outcomes.all(|outcome| matches!(outcome, ExchangeOutcome::Done { .. })), "{variant}");
        assert_eq!(canned.seen().connections, 3, "{variant}");
    }
}

#[cfg(all(feature = "client-bridged", feature = "runtime-smol"))]
#[test]
fn reqwest_works_on_smol_where_it_is_bridged() {
    use std::sync::Arc;

    use mock_ollama::clock::{Clock, Instant};
    use mock_ollama::journal::StreamId;
    use runtime_lab::chunking::ChunkPolicy;
    use runtime_lab::clients::{Agent, AgentClock, Bridged, Strict};

    /// Real time for an agent that never waits for it.
    #[derive(Clone)]
    struct Wall(Arc<dyn Clock>);

    impl AgentClock for Wall {
        fn now(&self) -> Instant {
            self.0.now()
        }

        async fn sleep_until(&self, _at: Instant, _stream: &StreamId) {}
    }

    let canned = Canned::new(Reply::stream(["{\"response\":\"a\"}\n", DONE]));
    let mut job = canned.job(1, 2);
    let client = Bridged::new(job.url.parse().unwrap()).unwrap();
    let plan = job.agents.remove(0);
    let agent: Agent<_, Strict> = Agent::new(plan, client, ChunkPolicy::AsReceived);
    let log = smol::block_on(agent.run(None, Wall(crate::canned::clock())));
    assert_eq!(log.exchanges.iter().map(|exchange| exchange.lines.len()).collect::<Vec<_>>(), [2, 2]);
}
