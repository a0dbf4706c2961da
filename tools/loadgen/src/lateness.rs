//! When tokens came, against the schedule that fits the stream best. Pure arithmetic on nanoseconds.
//!
//! Token `k` of a stream is due `k` gaps after the stream's anchor. The anchor is chosen such that no token is early and at
//! least one is on time: a constant offset (the way to the server, its first-token delay) does not show, a drift does.

/// The instant at which the first token was due: that of the token that is earliest against its place in the schedule.
pub(crate) fn anchor(arrivals: &[i64], gap: i64) -> Option<i64> {
    offsets(arrivals, gap).min()
}

/// How late each token is against the best-fit schedule; never negative.
pub(crate) fn lateness(arrivals: &[i64], gap: i64) -> impl Iterator<Item = i64> {
    let anchor = anchor(arrivals, gap).unwrap_or_default();
    offsets(arrivals, gap).map(move |offset| offset - anchor)
}

/// How much later the stream's end is than its beginning, from the median of the first tenth of the tokens to that of the last.
///
/// `None` for fewer than ten tokens. Extrapolated from the distance of those medians to that of the first and last token.
pub(crate) fn drift(arrivals: &[i64], gap: i64) -> Option<i64> {
    let tenth = arrivals.len() / 10;
    if tenth == 0 {
        return None;
    }
    let median = |from: usize| {
        let mut part: Vec<i64> = offsets(arrivals, gap).skip(from).take(tenth).collect();
        part.sort_unstable();
        part[tenth / 2]
    };
    let (tokens, apart) = (i64::try_from(arrivals.len()).ok()?, i64::try_from(arrivals.len() - tenth).ok()?);
    Some((median(arrivals.len() - tenth) - median(0)) * (tokens - 1) / apart)
}

/// Each arrival less its place in the schedule.
fn offsets(arrivals: &[i64], gap: i64) -> impl Iterator<Item = i64> {
    arrivals.iter().scan(0, move |place, arrival| {
        let offset = arrival - *place;
        *place += gap;
        Some(offset)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: i64 = 1_000_000;

    fn on_time(tokens: i64) -> Vec<i64> {
        (0..tokens).map(|k| 5 * MS + k * 10 * MS).collect()
    }

    #[test]
    fn a_stream_on_time_is_not_late_whatever_its_offset() {
        let arrivals = on_time(200);
        assert!(lateness(&arrivals, 10 * MS).all(|late| late == 0));
        assert_eq!(drift(&arrivals, 10 * MS), Some(0));
    }

    #[test]
    fn one_late_token_is_late_alone() {
        let mut arrivals = on_time(20);
        arrivals[7] += 300;
        assert_eq!(lateness(&arrivals, 10 * MS).filter(|late| *late > 0).collect::<Vec<_>>(), [300]);
        assert_eq!(drift(&arrivals, 10 * MS), Some(0));
    }

    #[test]
    fn a_late_beginning_is_late_against_the_rest() {
        let mut arrivals = on_time(20);
        arrivals[0] += 2 * MS;
        assert_eq!(lateness(&arrivals, 10 * MS).next(), Some(2 * MS));
        assert_eq!(anchor(&arrivals, 10 * MS), Some(5 * MS));
    }

    #[test]
    fn a_sleep_after_each_token_drifts_and_the_drift_shows() {
        let arrivals: Vec<i64> = (0..200).map(|k| k * (10 * MS + 80_000)).collect();
        assert_eq!(lateness(&arrivals, 10 * MS).last(), Some(199 * 80_000));
        assert_eq!(drift(&arrivals, 10 * MS), Some(199 * 80_000));
    }

    #[test]
    fn too_few_tokens_have_no_drift_and_none_have_no_anchor() {
        assert_eq!(drift(&on_time(9), 10 * MS), None);
        assert_eq!(anchor(&[], 10 * MS), None);
        assert_eq!(lateness(&[], 10 * MS).count(), 0);
    }

    proptest! {
        #[test]
        fn an_offset_changes_nothing(noise in prop::collection::vec(0..MS, 10..100), offset in 0..1000 * MS) {
            let arrivals: Vec<i64> = noise.iter().zip(0..).map(|(noise, k)| k * 10 * MS + noise).collect();
            let moved: Vec<i64> = arrivals.iter().map(|arrival| arrival + offset).collect();
            let found: Vec<i64> = lateness(&arrivals, 10 * MS).collect();
            prop_assert_eq!(&found, &lateness(&moved, 10 * MS).collect::<Vec<_>>());
            prop_assert_eq!(drift(&arrivals, 10 * MS), drift(&moved, 10 * MS));
            prop_assert!(found.contains(&0) && found.iter().all(|late| (0..MS).contains(late)));
        }
    }
}
