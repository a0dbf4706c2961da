//! Each stream's share of its solo speed, by the number of streams.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Full speed, in millionths.
pub(super) const FULL: u32 = 1_000_000;

/// Each stream's share of its solo speed, by the number of streams on the device.
///
/// Written as `independent`, or as the shares of two, three, … streams by commas, such as `0.41,0.3`. Beyond the last one the
/// device's total stays the same: `0.41` gives each of four 0.205.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Curve {
    /// As much as alone.
    #[default]
    Independent,
    /// The share of each of two, three, … streams, in millionths; at least one of them.
    Shared(Vec<u32>),
}

/// Words that are no share curve.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a share curve; write independent, or the share of solo speed that each of two, three, … streams has, above 0 and up to 1, by commas, such as 0.5 or 0.41,0.3"
)]
pub struct CurveError(String);

impl Curve {
    /// Each stream's share of its solo speed when `streams` are active, in millionths; never 0.
    pub(super) fn share(&self, streams: usize) -> u32 {
        let Self::Shared(shares) = self else { return FULL };
        let Some(beyond_one) = streams.checked_sub(2) else { return FULL };
        if let Some(share) = shares.get(beyond_one) {
            return *share;
        }
        let (last, count) = (shares.last().copied().unwrap_or(FULL), shares.len() + 1);
        let share = u128::from(last) * count as u128 / streams as u128;
        u32::try_from(share).unwrap_or(FULL).max(1)
    }
}

impl FromStr for Curve {
    type Err = CurveError;

    fn from_str(text: &str) -> Result<Self, CurveError> {
        if text == "independent" {
            return Ok(Self::Independent);
        }
        let share = |word: &str| {
            let share: f64 = word.trim().parse().ok()?;
            let millionths = (share * f64::from(FULL)).round();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 1 and a million")]
            (millionths >= 1.0 && share <= 1.0).then_some(millionths as u32)
        };
        let shares: Option<Vec<u32>> = text.split(',').map(share).collect();
        shares.map(Self::Shared).ok_or_else(|| CurveError(text.to_owned()))
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Shared(shares) = self else { return f.write_str("independent") };
        for (place, share) in shares.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}", f64::from(*share) / f64::from(FULL))?;
        }
        Ok(())
    }
}

impl From<Curve> for String {
    fn from(curve: Curve) -> Self {
        curve.to_string()
    }
}

impl TryFrom<String> for Curve {
    type Error = CurveError;

    fn try_from(text: String) -> Result<Self, CurveError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("independent", [FULL, FULL, FULL, FULL])]
    #[case("0.5", [FULL, 500_000, 333_333, 250_000])]
    #[case("0.41,0.3", [FULL, 410_000, 300_000, 225_000])]
    #[case("1", [FULL, FULL, 666_666, 500_000])]
    fn beyond_the_last_share_the_device_does_as_much_in_all(#[case] text: &str, #[case] shares: [u32; 4]) {
        let curve: Curve = text.parse().unwrap();
        assert_eq!([1, 2, 3, 4].map(|streams| curve.share(streams)), shares);
    }

    #[rstest]
    #[case("")]
    #[case("0")]
    #[case("1.01")]
    #[case("-0.5")]
    #[case("0.5,")]
    #[case("half")]
    #[case("NaN")]
    fn what_is_no_curve_is_refused(#[case] text: &str) {
        assert!(
            text.parse::<Curve>().unwrap_err().to_string().starts_with(&format!("`{text}` is not a share curve; "))
        );
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(shares in prop::collection::vec(1..=FULL, 1..5)) {
            let curve = Curve::Shared(shares);
            prop_assert_eq!(curve.to_string().parse(), Ok(curve));
        }

        #[test]
        fn nobody_ever_stands_still(shares in prop::collection::vec(1..=FULL, 1..5), streams in 0_usize..2_000_000) {
            prop_assert!(Curve::Shared(shares).share(streams) >= 1);
        }
    }
}
