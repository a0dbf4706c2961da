use crate::stats::quantile::median;
use proptest::prelude::*;
use rand_distr::{Distribution as _, LogNormal};

use super::*;

fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / count(sample.len())
}

const STATISTICS: [fn(&[f64]) -> f64; 2] = [mean, |sample| median(sample.to_vec()).unwrap()];

#[test]
fn what_cannot_be_drawn_from_has_no_interval() {
    for statistic in STATISTICS {
        assert_eq!(of_one(&[], statistic, 0.95, Seed(1)), None);
        assert_eq!(of_one(&[1.0, f64::NAN], statistic, 0.95, Seed(1)), None);
        assert_eq!(of_one(&[f64::INFINITY], statistic, 0.95, Seed(1)), None);
        for confidence in [0.0, 1.0, f64::NAN, 0.999_99] {
            assert_eq!(of_one(&[1.0, 2.0], statistic, confidence, Seed(1)), None, "{confidence}");
        }
    }
}

#[test]
fn the_interval_leaves_out_as_much_below_as_above() {
    let drawn = || (1..=DRAWS).map(count).collect();
    let found = interval(5000.0, drawn(), 0.95).unwrap();
    assert_eq!((found.low, found.high), (250.0, 9750.0));
}

#[test]
fn the_interval_of_a_mean_is_what_theory_says_of_a_large_sample() {
    // 1 to 400 has a standard deviation of 115.47; ± 1.96 of 115.47 / 20 is ± 11.32.
    let sample: Vec<f64> = (1..=400).map(count).collect();
    let found = of_one(&sample, mean, 0.95, Seed(1)).unwrap();
    assert!((found.low - 189.18).abs() < 0.5 && (found.high - 211.82).abs() < 0.5, "{found:?}");
}

#[test]
fn intervals_hold_the_truth_about_as_often_as_they_say() {
    let noise = LogNormal::new(0.0, 0.3).unwrap();
    let held = |n: usize| {
        let hit = |series: u64| {
            let mut rng = Seed(series).rng();
            let sample: Vec<f64> = (0..n).map(|_| noise.sample(&mut rng)).collect();
            let mut scratch = sample.clone();
            let drawn = (0..399).map(|_| {
                draw(&sample, &mut scratch, &mut rng);
                mean(&scratch)
            });
            let found = interval(mean(&sample), drawn.collect(), 0.95).unwrap();
            (found.low..=found.high).contains(&(0.3_f64.powi(2) / 2.0).exp())
        };
        (0..200).filter(|&series| hit(series)).count()
    };
    assert!((180..=198).contains(&held(40)), "{}", held(40));
    assert!(held(5) < 185, "short samples are known to miss more often, and the page says so: {}", held(5));
}

#[test]
fn the_same_seed_gives_the_same_bits_on_every_machine() {
    let sample = [3.25, 1.5, 4.75, 1.0, 5.5, 9.25, 2.0];
    let found = of_one(&sample, mean, 0.95, Seed(7)).unwrap();
    insta::assert_snapshot!(format!("{:?} {:?}", found.low, found.high), @"2.107142857142857 6.035714285714286");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn an_interval_holds_the_estimate_and_follows_from_the_seed(
        a in prop::collection::vec(-1e6_f64..1e6, 1..20),
        seed: u64,
    ) {
        let seed = Seed(seed);
        for statistic in STATISTICS {
            let found = of_one(&a, statistic, 0.95, seed).unwrap();
            prop_assert!(found.low <= found.value && found.value <= found.high, "{:?}", found);
            prop_assert_eq!(Some(found), of_one(&a, statistic, 0.95, seed));
        }
    }

    #[test]
    fn more_confidence_never_narrows_an_interval(
        a in prop::collection::vec(-1e6_f64..1e6, 1..20),
        seed: u64,
    ) {
        let narrow = of_one(&a, mean, 0.8, Seed(seed)).unwrap();
        let wide = of_one(&a, mean, 0.99, Seed(seed)).unwrap();
        prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
    }
}
