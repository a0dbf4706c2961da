//! How recorded time maps to replay time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// The longest time that a pace may ask for.
const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How recorded time maps to replay time: a base, and what is changed of it.
///
/// Written as `recorded`, `x20`, `rate=40`, `gap=20ms`, `instant` or `stated`, combined with `ttft=300ms` and
/// `jitter=10%` by commas, such as `x4,ttft=300ms,jitter=10%`.
///
/// ```
/// use mock_ollama::schedule::Pace;
///
/// let pace: Pace = "x20,ttft=300ms".parse()?;
/// assert_eq!(pace, Pace::recorded().faster(20.0).ttft(std::time::Duration::from_millis(300)));
/// # Ok::<(), mock_ollama::schedule::PaceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Where the times come from.
    pub base: Base,
    /// When the first chunk is due, instead of what the base says; the gaps after it stay.
    pub ttft: Option<Duration>,
    /// The share by which each gap varies at most, 0..=1: a gap of 20 ms with 0.1 takes 18 to 22 ms.
    pub jitter: f64,
}

/// Where the times of a pace come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Base {
    /// The recorded times, this many times as fast; 1 is as recorded.
    Recorded {
        /// Greater than zero.
        speed: f64,
    },
    /// The k-th chunk, counted from one, is due k gaps after the request.
    Gap(Duration),
    /// Every chunk is due at once.
    Instant,
    /// A chunk is due when a test releases it.
    Stepped,
    /// What a rule states takes its time; all else is due at once.
    Stated,
}

/// A pace that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PaceError {
    /// A word that is none of the known ones.
    #[error("unknown pace `{0}`: expected recorded, x20, rate=40, gap=20ms, instant, stated, ttft=300ms or jitter=10%")]
    Unknown(String),
    /// A number out of range.
    #[error("bad number in pace `{word}`: expected {expected}")]
    Number {
        /// The word as given.
        word: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// Two words that set the same thing.
    #[error("pace `{0}` sets the same thing twice")]
    Twice(String),
}

impl Default for Pace {
    fn default() -> Self {
        Self::recorded()
    }
}

impl Pace {
    const fn from_base(base: Base) -> Self {
        Self { base, ttft: None, jitter: 0.0 }
    }

    /// Each chunk at its recorded time.
    pub const fn recorded() -> Self {
        Self::from_base(Base::Recorded { speed: 1.0 })
    }

    /// Every chunk at once.
    pub const fn instant() -> Self {
        Self::from_base(Base::Instant)
    }

    /// One chunk every `gap`.
    pub const fn gap(gap: Duration) -> Self {
        Self::from_base(Base::Gap(gap))
    }

    /// `tokens_per_s` chunks a second.
    ///
    /// # Panics
    /// When the rate is not a positive number.
    pub fn rate(tokens_per_s: f64) -> Self {
        assert!(tokens_per_s.is_finite() && tokens_per_s > 0.0, "a rate is a positive number, not {tokens_per_s}");
        Self::gap(Duration::from_secs_f64(1.0 / tokens_per_s))
    }

    /// What a rule states takes its time; recordings, and replies without times, leave at once.
    pub const fn stated() -> Self {
        Self::from_base(Base::Stated)
    }

    /// A chunk leaves only when the test releases it.
    pub const fn stepped() -> Self {
        Self::from_base(Base::Stepped)
    }

    /// This many times as fast as before. It acts on recorded times alone.
    ///
    /// # Panics
    /// When `times` is not a positive number.
    #[must_use]
    pub fn faster(mut self, times: f64) -> Self {
        assert!(times.is_finite() && times > 0.0, "a speed is a positive number, not {times}");
        if let Base::Recorded { speed } = &mut self.base {
            *speed *= times;
        }
        self
    }

    /// The first chunk `ttft` after the request.
    #[must_use]
    pub const fn ttft(mut self, ttft: Duration) -> Self {
        self.ttft = Some(ttft);
        self
    }

    /// Each gap varied by up to this share of itself, 0..=1, drawn from the server's seed and the stream.
    ///
    /// # Panics
    /// When `share` is not within 0..=1.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        assert!((0.0..=1.0).contains(&share), "a jitter is a share within 0..=1, not {share}");
        self.jitter = share;
        self
    }
}

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        let (mut base, mut ttft, mut jitter) = (None, None, None);
        for word in text.split(',').map(str::trim) {
            let twice = match word.split_once('=') {
                Some(("ttft", value)) => ttft.replace(parse_duration(word, value)?).is_some(),
                Some(("jitter", value)) => jitter.replace(parse_share(word, value)?).is_some(),
                _ => base.replace(parse_base(word)?).is_some(),
            };
            if twice {
                return Err(PaceError::Twice(text.to_owned()));
            }
        }
        let base = base.unwrap_or(Base::Recorded { speed: 1.0 });
        Ok(Self { base, ttft, jitter: jitter.unwrap_or(0.0) })
    }
}

fn parse_base(word: &str) -> Result<Base, PaceError> {
    let positive = |value: &str, expected| {
        let number: Option<f64> = value.parse().ok();
        number
            .filter(|number| (1e-6..=1e9).contains(number))
            .ok_or_else(|| PaceError::Number { word: word.to_owned(), expected })
    };
    match (word, word.split_once('='), word.strip_prefix('x')) {
        ("recorded", ..) => Ok(Base::Recorded { speed: 1.0 }),
        ("instant", ..) => Ok(Base::Instant),
        ("stated", ..) => Ok(Base::Stated),
        (_, Some(("rate", value)), _) => {
            let rate = positive(value, "tokens a second, such as rate=40")?;
            Ok(Base::Gap(Duration::from_secs_f64(1.0 / rate)))
        }
        (_, Some(("gap", value)), _) => Ok(Base::Gap(parse_duration(word, value)?)),
        (_, None, Some(value)) => Ok(Base::Recorded { speed: positive(value, "a speed, such as x20")? }),
        _ => Err(PaceError::Unknown(word.to_owned())),
    }
}

fn parse_share(word: &str, value: &str) -> Result<f64, PaceError> {
    let percent: Option<f64> = value.strip_suffix('%').and_then(|number| number.parse().ok());
    let expected = "a share from 0% to 100%, such as jitter=10%";
    percent
        .filter(|percent| (0.0..=100.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or_else(|| PaceError::Number { word: word.to_owned(), expected })
}

fn parse_duration(word: &str, value: &str) -> Result<Duration, PaceError> {
    let expected = "a time up to 24 hours, such as 20ms, 1.5s or 800us";
    let wrong = || PaceError::Number { word: word.to_owned(), expected };
    let units = [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(suffix, unit)| value.strip_suffix(suffix).map(|number| (number, unit)))
        .ok_or_else(wrong)?;
    let seconds: f64 = number.parse::<f64>().map_err(|_| wrong())? * unit;
    Duration::try_from_secs_f64(seconds).ok().filter(|time| *time <= MAX_TIME).ok_or_else(wrong)
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.base {
            Base::Recorded { speed } if (speed - 1.0).abs() < f64::EPSILON => f.write_str("recorded")?,
            Base::Recorded { speed } => write!(f, "x{speed}")?,
            Base::Gap(gap) => write!(f, "gap={gap:?}")?,
            Base::Instant => f.write_str("instant")?,
            Base::Stepped => f.write_str("stepped")?,
            Base::Stated => f.write_str("stated")?,
        }
        if let Some(ttft) = self.ttft {
            write!(f, ",ttft={ttft:?}")?;
        }
        if self.jitter > 0.0 {
            write!(f, ",jitter={}%", self.jitter * 100.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::Pace;

    #[rstest]
    #[case("recorded", Pace::recorded())]
    #[case("x20", Pace::recorded().faster(20.0))]
    #[case("x0.5", Pace::recorded().faster(0.5))]
    #[case("rate=40", Pace::gap(Duration::from_millis(25)))]
    #[case("gap=20ms", Pace::gap(Duration::from_millis(20)))]
    #[case("gap=0ms", Pace::gap(Duration::ZERO))]
    #[case("instant", Pace::instant())]
    #[case("ttft=300ms", Pace::recorded().ttft(Duration::from_millis(300)))]
    #[case("gap=1.5s, ttft=800us, jitter=10%", Pace::gap(Duration::from_millis(1500)).ttft(Duration::from_micros(800)).jitter(0.1))]
    fn a_pace_is_read_from_its_words(#[case] text: &str, #[case] expected: Pace) {
        assert_eq!(text.parse(), Ok(expected));
    }

    #[rstest]
    #[case("x20")]
    #[case("recorded,ttft=300ms")]
    #[case("gap=20ms,ttft=1.5s,jitter=12.5%")]
    #[case("instant")]
    fn a_pace_reads_back_what_it_prints(#[case] text: &str) {
        let pace: Pace = text.parse().unwrap();
        assert_eq!(pace.to_string(), text);
    }

    #[test]
    fn a_bad_pace_says_what_would_have_been_right() {
        let bad = [
            "fast",
            "x",
            "x0",
            "x-1",
            "rate=0",
            "gap=20",
            "gap=-1ms",
            "ttft=25h",
            "jitter=10",
            "jitter=101%",
            "x2,x3",
            "",
        ];
        let errors: Vec<String> = bad.iter().map(|text| text.parse::<Pace>().unwrap_err().to_string()).collect();
        insta::assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn stepping_is_for_the_library_alone() {
        assert!("stepped".parse::<Pace>().is_err());
    }
}
