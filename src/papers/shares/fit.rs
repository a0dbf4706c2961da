//! The share of its solo speed that each of two streams has: the one with the least error.

use mock_ollama::backend::Curve;
use mock_ollama::clock::Instant;

use super::set::Repetition;
use super::simulate::{DeviceStream, Need, simulate};

/// Full speed, in the millionths in which a curve counts.
const FULL: f64 = 1_000_000.0;

/// The least share that is looked at.
const LEAST: f64 = 0.001;

/// How many shares are looked at from [`LEAST`] to 1, each as much larger than the one before. Between the neighbours
/// of the best one the error has one lowest point.
const GRID: u32 = 240;

/// How often the range around the best share of the grid is cut by the golden section; the rest is below a millionth.
const CUTS: usize = 24;

/// The share with which the predicted arrivals of `repetition` are nearest to the recorded ones; nothing where no two
/// streams ever meet on the device, so that every share predicts the same.
pub(crate) fn fit(repetition: &Repetition) -> Option<f64> {
    if !do_meet(repetition) {
        return None;
    }
    let share_at = |step: f64| LEAST.powf(1.0 - step / f64::from(GRID));
    let error = |share: f64| mean_error(repetition, share);
    let best = (0..=GRID).map(|step| (error(share_at(step.into())), step)).min_by(|a, b| a.0.total_cmp(&b.0))?.1;
    let low = share_at(f64::from(best) - 1.0);
    let high = share_at(f64::from(best) + 1.0).min(1.0);
    let narrowed = golden_section(low, high, error);
    // The search never looks at the ends of its range, and full speed is one.
    let share = if error(high) <= error(narrowed) { high } else { narrowed };
    Some((share * FULL).round() / FULL)
}

/// The curve of a share; without one, every stream is as if alone.
pub(crate) fn curve(share: Option<f64>) -> Curve {
    let Some(share) = share else { return Curve::Independent };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 1 and a million")]
    let millionths = (share * FULL).round().clamp(1.0, FULL) as u32;
    Curve::Shared(vec![millionths])
}

/// Whether two are served at once when each is as fast as alone. If not, then neither at any other share: they slow each
/// other down only while they are.
fn do_meet(repetition: &Repetition) -> bool {
    let streams = repetition.streams();
    let arrivals = simulate(&streams, &Curve::Independent);
    let span = |(stream, arrivals): (&DeviceStream, &Vec<Instant>)| match stream.need {
        Need::Served(_) => (stream.first, arrivals.last().copied().unwrap_or(stream.first)),
        Need::Until(end) => (stream.first, end),
    };
    let mut spans: Vec<(Instant, Instant)> = streams.iter().zip(&arrivals).map(span).collect();
    spans.sort_unstable();
    let mut until = Instant::ZERO;
    spans.into_iter().any(|(first, last)| {
        let meets = first < until;
        until = until.max(last);
        meets
    })
}

/// The mean distance of a predicted chunk from the recorded one, in nanoseconds.
fn mean_error(repetition: &Repetition, share: f64) -> f64 {
    let predicted = simulate(&repetition.streams(), &curve(Some(share)));
    let pairs =
        predicted.iter().zip(&repetition.agents).flat_map(|(arrivals, agent)| arrivals.iter().zip(&agent.together));
    let (mut sum, mut count) = (0_u128, 0_u128);
    for (predicted, recorded) in pairs {
        sum += u128::from(distance(*predicted, *recorded));
        count += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "a mean is no count")]
    let mean = sum as f64 / count.max(1) as f64;
    mean
}

/// From one instant to the other, in nanoseconds.
pub(crate) fn distance(one: Instant, other: Instant) -> u64 {
    one.as_nanos().abs_diff(other.as_nanos())
}

/// Where `error` is least between `low` and `high`.
fn golden_section(mut low: f64, mut high: f64, error: impl Fn(f64) -> f64) -> f64 {
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let inner = |low: f64, high: f64| (high - golden * (high - low), low + golden * (high - low));
    let (mut left, mut right) = inner(low, high);
    let (mut error_left, mut error_right) = (error(left), error(right));
    for _ in 0..CUTS {
        if error_left <= error_right {
            (high, right, error_right) = (right, left, error_left);
            left = inner(low, high).0;
            error_left = error(left);
        } else {
            (low, left, error_left) = (left, right, error_right);
            right = inner(low, high).1;
            error_right = error(right);
        }
    }
    f64::midpoint(low, high)
}
