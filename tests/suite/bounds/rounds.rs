//! What several tries of a gate come to.

use runtime_lab::stats::Verdict;

/// What one round came to, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Round {
    Pass(String),
    Fail(String),
    /// The server was late, so nobody was judged.
    Spoilt(String),
    /// The control kept the bound, so the bound says nothing of anybody.
    Toothless(String),
}

/// One round that passes is enough. Without any, a round that fails counts, and so does a control that was never
/// rejected; spoilt rounds alone say nothing.
pub(super) fn conclude(rounds: &[Round]) -> (Verdict, String) {
    let find = |wanted: fn(&Round) -> Option<&String>| rounds.iter().rev().find_map(wanted).cloned();
    let toothless = rounds.iter().all(|round| matches!(round, Round::Toothless(_)));
    let passed = find(|round| if let Round::Pass(why) = round { Some(why) } else { None });
    let failed = find(|round| if let Round::Fail(why) = round { Some(why) } else { None });
    let open = find(|round| if let Round::Spoilt(why) | Round::Toothless(why) = round { Some(why) } else { None });
    match (passed, failed, open) {
        (Some(why), ..) => (Verdict::Pass, why),
        (None, Some(why), _) => (Verdict::Fail, why),
        (None, None, Some(why)) => (if toothless { Verdict::Fail } else { Verdict::Inconclusive }, why),
        (None, None, None) => (Verdict::Fail, "there was no round".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conclusion(rounds: &[fn(String) -> Round]) -> (Verdict, String) {
        let numbered = rounds.iter().zip(1..).map(|(round, number)| round(format!("round {number}")));
        conclude(&numbered.collect::<Vec<_>>())
    }

    #[test]
    fn a_stall_of_the_machine_is_made_up_for_by_a_round_that_passes() {
        let rounds: [fn(String) -> Round; 3] = [Round::Fail, Round::Spoilt, Round::Pass];
        assert_eq!(conclusion(&rounds), (Verdict::Pass, "round 3".to_owned()));
    }

    #[test]
    fn a_fault_that_shows_in_a_round_and_is_never_made_up_for_is_a_failure() {
        assert_eq!(conclusion(&[Round::Fail, Round::Spoilt, Round::Toothless]), (Verdict::Fail, "round 1".to_owned()));
    }

    #[test]
    fn spoilt_rounds_say_nothing() {
        let rounds: [fn(String) -> Round; 3] = [Round::Spoilt; 3];
        assert_eq!(conclusion(&rounds), (Verdict::Inconclusive, "round 3".to_owned()));
    }

    #[test]
    fn a_round_whose_control_was_let_through_says_nothing() {
        let rounds: [fn(String) -> Round; 3] = [Round::Toothless, Round::Spoilt, Round::Toothless];
        assert_eq!(conclusion(&rounds).0, Verdict::Inconclusive);
    }

    #[test]
    fn a_gate_that_lets_its_control_through_every_time_is_a_failure() {
        let rounds: [fn(String) -> Round; 3] = [Round::Toothless; 3];
        assert_eq!(conclusion(&rounds).0, Verdict::Fail);
    }
}
