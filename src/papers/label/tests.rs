use rand_distr::{Distribution as _, LogNormal};

use super::*;

const LABELS: [&str; 4] = ["a", "b", "c", "d"];
const STRATA: [&str; 3] = ["x", "y", "z"];

/// Enough for a p value of 0.05 and for the intervals of six pairs, and quick.
const FEW: usize = 599;

const QUESTION: Question =
    Question { scale: Scale::Values, confidence: 0.95, smallest_effect: Some(5.0), seed: Seed(1) };

/// Five values of each label in each stratum about 100, 200 and 300, with log-normal noise; `shift` more for `d`.
fn synthetic(seed: u64, sigma: f64, shift: f64) -> Vec<Row<'static>> {
    let noise = LogNormal::new(0.0, sigma).unwrap();
    let mut rng = Seed(seed).derive("synthetic", []).rng();
    let mut rows = Vec::new();
    for (stratum, level) in STRATA.into_iter().zip([100.0, 200.0, 300.0]) {
        for label in LABELS {
            let more = if label == "d" { shift } else { 0.0 };
            rows.extend((0..5).map(|_| Row { label, stratum, value: level * noise.sample(&mut rng) + more }));
        }
    }
    rows
}

/// How many of `seeds` series are answered so.
fn share(seeds: u64, sigma: f64, shift: f64, question: Question, is: fn(&Explained) -> bool) -> f64 {
    let answered = |&seed: &u64| {
        let question = Question { seed: Seed(seed), ..question };
        is(&explain_with(&synthetic(seed, sigma, shift), question, FEW).unwrap())
    };
    count((0..seeds).filter(answered).count()) / count(usize::try_from(seeds).unwrap())
}

/// How many of `seeds` series separate.
fn separated(seeds: u64, sigma: f64, shift: f64, scale: Scale) -> f64 {
    let p_value = |seed| permute::p_of(&synthetic(seed, sigma, shift), scale, Seed(seed), 199).unwrap();
    count((0..seeds).filter(|&seed| p_value(seed) <= 0.05).count()) / count(usize::try_from(seeds).unwrap())
}

#[test]
fn a_label_without_effect_separates_in_five_of_a_hundred_series() {
    for scale in [Scale::Values, Scale::Ranks] {
        let found = separated(400, 0.1, 0.0, scale);
        println!("{scale:?}: {found}");
        assert!((0.02..=0.08).contains(&found), "{scale:?}: {found}");
    }
}

#[test]
fn a_label_with_an_effect_separates() {
    for scale in [Scale::Values, Scale::Ranks] {
        let found = separated(100, 0.03, 10.0, scale);
        println!("{scale:?}: {found}");
        assert!(found >= 0.9, "{scale:?}: {found}");
    }
}

#[test]
fn labels_within_the_stated_bound_are_found_equivalent() {
    let found = share(50, 0.01, 0.0, QUESTION, Explained::equivalent);
    assert!(found >= 0.9, "{found}");
}

#[test]
fn too_much_noise_proves_no_equivalence_although_nothing_separates() {
    let quiet = |found: &Explained| !found.separated() && !found.equivalent();
    let found = share(50, 0.1, 0.0, QUESTION, quiet);
    assert!(found > 0.85, "{found}");
}

#[test]
fn a_difference_at_the_bound_is_found_equivalent_in_at_most_five_of_a_hundred_series() {
    let found = share(100, 0.01, 5.0, QUESTION, Explained::equivalent);
    assert!(found <= 0.05, "{found}");
}

#[test]
fn what_separates_and_is_too_small_to_matter_is_no_difference() {
    let found = explain_with(&synthetic(1, 0.001, 2.0), QUESTION, FEW).unwrap();
    assert!(found.separated() && found.equivalent());
    let unstated = Question { smallest_effect: None, ..QUESTION };
    let found = explain_with(&synthetic(1, 0.001, 2.0), unstated, FEW).unwrap();
    assert!(found.separated() && !found.equivalent());
}

#[test]
fn the_widest_pair_is_the_one_with_the_effect() {
    let found = explain_with(&synthetic(1, 0.001, -20.0), QUESTION, FEW).unwrap();
    let widest = found.pairs.iter().max_by(|a, b| a.mean.abs().total_cmp(&b.mean.abs())).unwrap();
    assert_eq!(widest.b, "d");
    assert!((widest.mean - 20.0).abs() < 1.0, "{widest:?}");
}

#[test]
fn a_stratum_counts_once_however_many_runs_it_has() {
    let row = |label, stratum, value| Row { label, stratum, value };
    let mut rows = vec![row("a", "x", 0.0), row("b", "x", 1.0), row("a", "y", 0.0)];
    rows.extend([row("b", "y", 3.0); 40]);
    let found = explain_with(&rows, QUESTION, FEW).unwrap();
    assert!((found.pairs[0].mean + 2.0).abs() < 1e-12);
}

#[test]
fn too_few_repeats_have_no_interval_and_prove_nothing() {
    let rows: Vec<Row<'_>> = ["a", "a", "b", "b"].map(|label| Row { label, stratum: "x", value: 1.0 }).to_vec();
    let found = explain_with(&rows, QUESTION, FEW).unwrap();
    assert_eq!((found.pairs[0].interval, found.equivalent(), found.separated()), (None, false, false));
}

#[test]
fn neither_the_order_of_rows_nor_the_names_of_labels_change_the_verdict() {
    let rows = synthetic(3, 0.02, 8.0);
    let mut turned = rows.clone();
    turned.reverse();
    assert_eq!(explain_with(&rows, QUESTION, FEW), explain_with(&turned, QUESTION, FEW));
}

#[test]
fn observations_that_cannot_be_compared_are_refused() {
    let row = |label, stratum, value| Row { label, stratum, value };
    assert_eq!(explain(&[row("a", "x", 1.0)], QUESTION), None);
    assert_eq!(explain(&[row("a", "x", 1.0), row("b", "x", f64::NAN)], QUESTION), None);
    assert_eq!(explain_with(&[row("a", "x", 1.0), row("b", "y", 1.0)], QUESTION, FEW), None);
    let two = [row("a", "x", 1.0), row("b", "x", 1.0)];
    assert!(explain_with(&two, QUESTION, FEW).is_some());
    let certain = Question { confidence: 1.0, ..QUESTION };
    assert_eq!(explain_with(&two, certain, FEW), None);
}
