use proptest::prelude::*;

use super::*;

const SCALES: [Scale; 2] = [Scale::Values, Scale::Ranks];

fn row<'a>(label: &'a str, stratum: &'a str, value: f64) -> Row<'a> {
    Row { label, stratum, value }
}

/// The p value of two groups that have nothing to do with each other.
fn p_of_groups(a: &[f64], b: &[f64], scale: Scale, seed: Seed) -> Option<f64> {
    let of = |label, values: &[f64]| values.iter().map(move |&value| Row { label, stratum: "", value }).collect();
    let (mut rows, more): (Vec<_>, Vec<_>) = (of("a", a), of("b", b));
    rows.extend(more);
    p_value(&rows, scale, seed)
}

#[test]
fn groups_with_the_same_values_are_not_told_apart() {
    for scale in SCALES {
        assert_eq!(p_of_groups(&[1.0; 5], &[1.0; 7], scale, Seed(1)), Some(1.0));
        assert_eq!(p_of_groups(&[1.0, 2.0, 3.0], &[3.0, 1.0, 2.0], scale, Seed(1)), Some(1.0));
    }
}

#[test]
fn the_p_value_is_that_of_all_permutations_counted() {
    // 4 of 8 values: 70 ways to deal them, and only these two are as far apart.
    for scale in SCALES {
        let found = p_of_groups(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0], scale, Seed(1)).unwrap();
        assert!((found - 2.0 / 70.0).abs() < 0.006, "{found}");
    }
    // Nine pairs, all of one sign: 2 of 512.
    let blocks: Vec<String> = (0..9).map(|block| block.to_string()).collect();
    let rows: Vec<Row<'_>> = blocks.iter().flat_map(|block| [row("a", block, 100.0), row("b", block, 101.0)]).collect();
    let found = p_value(&rows, Scale::Values, Seed(1)).unwrap();
    assert!((found - 2.0 / 512.0).abs() < 0.002, "{found}");
}

#[test]
fn what_strata_differ_by_proves_nothing() {
    // Every value of `b` is above every value of `a`, for `b` was measured where all is slow.
    let fast = [1.0, 2.0, 3.0].map(|value| row("a", "fast", value));
    let slow = [101.0, 102.0, 103.0].map(|value| row("b", "slow", value));
    let rows: Vec<Row<'_>> = fast.into_iter().chain(slow).collect();
    assert_eq!(p_value(&rows, Scale::Values, Seed(1)), Some(1.0));
}

#[test]
fn one_extreme_value_hides_an_effect_from_values_and_not_from_ranks() {
    let a: Vec<f64> = (0..20).map(count).chain([10_000.0]).collect();
    let b: Vec<f64> = (0..20).map(|value| count(value) + 12.0).chain([10_000.0]).collect();
    assert!(p_of_groups(&a, &b, Scale::Values, Seed(1)).unwrap() > 0.4);
    assert!(p_of_groups(&a, &b, Scale::Ranks, Seed(1)).unwrap() < 0.001);
}

#[test]
fn equal_values_share_a_rank() {
    for (value, expected) in [(1.0, 0.5), (5.0, 2.0), (9.0, 3.5)] {
        assert!((rank(value, &[5.0, 1.0, 9.0, 5.0]) - expected).abs() < f64::EPSILON);
    }
}

#[test]
fn one_label_or_no_number_has_no_p_value() {
    assert_eq!(p_value(&[row("a", "s", 1.0), row("a", "s", 2.0)], Scale::Values, Seed(1)), None);
    assert_eq!(p_value(&[], Scale::Values, Seed(1)), None);
    assert_eq!(p_of_groups(&[1.0], &[f64::NAN], Scale::Ranks, Seed(1)), None);
    assert_eq!(p_of_groups(&[1.0], &[], Scale::Values, Seed(1)), None);
}

#[test]
fn the_same_seed_gives_the_same_p_value_on_every_machine() {
    let found = p_of_groups(&[3.25, 1.5, 4.75, 1.0], &[5.5, 9.25, 2.0, 4.0, 7.5], Scale::Values, Seed(7));
    insta::assert_snapshot!(found.unwrap(), @"0.1137");
}

/// Rows of up to three labels in up to three strata.
fn rows() -> impl Strategy<Value = Vec<(usize, usize, f64)>> {
    prop::collection::vec((0_usize..3, 0_usize..3, -1e3_f64..1e3), 2..30)
}

fn named<'a>(rows: &[(usize, usize, f64)], labels: [&'a str; 3]) -> Vec<Row<'a>> {
    rows.iter().map(|&(label, stratum, value)| row(labels[label], ["x", "y", "z"][stratum], value)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_p_value_is_a_share_above_zero_and_follows_from_the_seed(rows in rows(), seed: u64) {
        let rows = named(&rows, ["a", "b", "c"]);
        for scale in SCALES {
            let found = p_of(&rows, scale, Seed(seed), 99);
            prop_assert!(found.is_none_or(|p| p > 0.0 && p <= 1.0));
            prop_assert_eq!(found, p_of(&rows, scale, Seed(seed), 99));
        }
    }

    #[test]
    fn neither_the_order_of_rows_nor_the_names_of_labels_matter(rows in rows(), seed: u64) {
        let plain = named(&rows, ["a", "b", "c"]);
        let mut renamed = named(&rows, ["q", "p", "o"]);
        renamed.reverse();
        for scale in SCALES {
            prop_assert_eq!(p_of(&plain, scale, Seed(seed), 99), p_of(&renamed, scale, Seed(seed), 99));
        }
    }
}
