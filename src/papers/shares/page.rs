//! What was found, as text.

use std::time::Duration;

use super::check::{CHUNK, Misfit, ShareCheck, WALL, check};
use super::score::SetPrediction;
use crate::report::terminal::{Table, WIDTH, or_dash, percent, seconds, wrapped};

/// Every set with its table and its judgement, and what the columns mean.
pub fn page(outcomes: &[SetPrediction]) -> String {
    let sets: String = outcomes.iter().map(|outcome| set(outcome) + "\n").collect();
    let (holds, fails): (Vec<&SetPrediction>, Vec<&SetPrediction>) =
        outcomes.iter().partition(|outcome| check(outcome).holds);
    let names = |sets: &[&SetPrediction]| sets.iter().map(|set| set.name.as_str()).collect::<Vec<_>>().join(", ");
    let list = |sets: &[&SetPrediction], what: &str| {
        if sets.is_empty() { String::new() } else { paragraph(&format!("{what}: {}", names(sets))) }
    };
    let summary = if outcomes.len() > 1 {
        list(&holds, "described") + &list(&fails, "not described") + "\n"
    } else {
        String::new()
    };
    format!("{sets}{summary}{}", paragraph(&legend()))
}

fn legend() -> String {
    format!(
        "All times but the first chunk's run from the first chunk on. first chunk: from the request to it, as recorded \
         together, not predicted. alone: the same request without the others. error: predicted wall time against the \
         recorded one. chunk error: the median of how far each chunk is off, as a share of its time since the first one. \
         A set is described when no wall time is off by more than {} and no median chunk by more than {}, in the \
         repetitions that the share was not fitted on, or in the only one.",
        percent(WALL),
        percent(CHUNK)
    )
}

fn paragraph(text: &str) -> String {
    wrapped(text, WIDTH, 2) + "\n"
}

fn set(outcome: &SetPrediction) -> String {
    let title = paragraph(&format!("{}: {}", outcome.name, share(outcome)));
    let judgement = paragraph(&judgement(outcome, &check(outcome)));
    format!("{title}\n{}\n{judgement}", table(outcome))
}

/// The fitted share in words.
fn share(outcome: &SetPrediction) -> String {
    let Some(share) = outcome.share else {
        return "no two streams meet from their first chunks on, so no share is fitted; predicted as alone".to_owned();
    };
    let fitted = outcome.repetitions.iter().find(|repetition| repetition.is_fitted);
    let fitted = fitted.map_or("", |repetition| repetition.name.as_str());
    let more = if outcome.agents > 2 {
        #[expect(clippy::cast_precision_loss, reason = "nobody counts that many agents")]
        let each = 2.0 * share / outcome.agents as f64;
        format!(", and each of {} has {each:.3}", outcome.agents)
    } else {
        String::new()
    };
    format!("each of two has {share:.3} of its solo speed{more}; fitted on repetition {fitted}")
}

fn time(duration: Duration) -> String {
    seconds(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}

fn table(outcome: &SetPrediction) -> String {
    let rows = outcome.repetitions.iter().flat_map(|scored| scored.agents.iter().map(move |score| (scored, score)));
    let table = Table::of(
        rows,
        &[
            ("repetition", &|(scored, _)| {
                format!("{}{}", scored.name, if scored.is_fitted { " (fitted)" } else { "" })
            }),
            ("agent", &|(_, score)| score.agent.clone()),
            ("first chunk", &|(_, score)| time(score.prompt)),
            ("alone", &|(_, score)| or_dash(score.prediction.as_ref(), |found| time(found.alone_wall()))),
            ("predicted", &|(_, score)| or_dash(score.prediction.as_ref(), |found| time(found.wall()))),
            ("recorded", &|(_, score)| time(score.wall())),
            ("error", &|(_, score)| or_dash(score.prediction.as_ref(), |found| percent(found.wall_error))),
            ("chunk error", &|(_, score)| or_dash(score.prediction.as_ref(), |found| percent(found.chunk_error))),
        ],
    );
    table.plain()
}

/// The reason that stands where none is known.
const NO_REASON: &str = "The errors show no pattern that is known here.";

fn judgement(outcome: &SetPrediction, check: &ShareCheck) -> String {
    let errors = format!(
        "the worst wall time is off by {}, the worst median chunk by {}",
        percent(check.wall_error),
        percent(check.chunk_error)
    );
    let only = if outcome.repetitions.len() == 1 && outcome.share.is_some() {
        " There is one repetition, so this is the error of the fit itself."
    } else {
        ""
    };
    let what = if outcome.share.is_some() { "A share" } else { "The time alone" };
    if check.holds {
        return format!("{what} describes this set: {errors}.{only}");
    }
    let limits = format!("the limits are {} and {}", percent(WALL), percent(CHUNK));
    let reasons: Vec<String> = check.reasons.iter().map(sentence).collect();
    let reasons = if reasons.is_empty() { NO_REASON.to_owned() } else { reasons.join(" ") };
    format!("{what} does not describe this set: {errors}; {limits}. {reasons}{only}")
}

fn sentence(reason: &Misfit) -> String {
    match reason {
        Misfit::Faster { agent, speed } => format!(
            "Agent {agent} was {speed:.2} times as fast together as alone: something else than the other agents slowed \
             it down when it was alone, and no share is above 1."
        ),
        Misfit::Unmet { agent, recorded, alone } => format!(
            "Agent {agent} took {} where it takes {} alone, and would have met no other stream in that time: what slowed \
             it down is not in the streams, such as the evaluation of others' prompts or another load.",
            time(*recorded),
            time(*alone)
        ),
        Misfit::Lost { work } => format!(
            "Together they did {} of what one does alone in the same time: work was lost, not shared, as by threads \
             that spin while they wait for others that have no core.",
            percent(*work)
        ),
        Misfit::Bursts { agent, recorded, predicted, longest } => format!(
            "Of agent {agent}'s time {} went into the longest tenth of the gaps (up to {}), of the predicted time {}: the \
             work came in bursts, not at a steady speed.",
            percent(*recorded),
            time(*longest),
            percent(*predicted)
        ),
        Misfit::Uneven { late, early } => format!(
            "The agents were slowed down differently: the wall time of {} is off by {}, that of {} by {}; a share is \
             the same for all.",
            late.0,
            percent(late.1),
            early.0,
            percent(early.1)
        ),
    }
}
