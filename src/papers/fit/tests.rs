use super::*;
use crate::papers::data::{sets, tr113_tr114};
use crate::papers::published::Published;

/// The tables with the efficiency that the predictor gives for these speeds.
fn made(mut published: Published, alone: f64, share: f64) -> Published {
    let speeds = |gap| Constants { alone, together: alone * share, gap };
    let predicted: Vec<f64> = {
        let sets = sets(&published, "");
        let of = |set: &DataSet<'_>| {
            let constants = speeds(gap(set));
            let predicted = set.runs.iter().map(|run| predict(&run.input(constants), run.setup).efficiency_pct());
            set.runs.iter().map(|run| run.row.clone()).zip(predicted).collect::<Vec<_>>()
        };
        let all: Vec<_> = sets.iter().flat_map(of).collect();
        let find = |row: &crate::papers::published::RunRow| all.iter().find(|(known, _)| known == row).unwrap().1;
        published.runs.iter().map(find).collect()
    };
    for (run, predicted) in published.runs.iter_mut().zip(predicted) {
        run.efficiency_pct = predicted;
    }
    for agent in &mut published.agents {
        agent.eval_ms = f64::from(agent.tokens) / alone * 1e3;
    }
    published
}

#[test]
fn the_share_that_made_the_figures_is_found_again() {
    for share in [0.2, 0.333, 0.5, 0.9] {
        let published = made(Published::built_in().unwrap(), 90.0, share);
        let found = fit(&sets(&published, "")).unwrap()[0];
        assert!((found.alone - 90.0).abs() < 1e-6, "{found:?}");
        assert!((found.together / 90.0 - share).abs() < 0.000_6, "{share}: {found:?}");
    }
}

#[test]
fn without_an_agent_that_was_alone_the_figures_still_say_how_two_share() {
    let mut published = tr113_tr114().unwrap();
    published.runs.retain(|run| run.runtime == "tr114-dual" && run.run < 4);
    let found = fit(&sets(&published, "")).unwrap();
    assert!((0.3..0.5).contains(&(found[0].together / found[0].alone)), "{found:?}");
}

#[test]
fn without_a_run_to_fit_on_there_are_no_constants() {
    let mut published = Published::built_in().unwrap();
    published.runs.retain(|run| run.run % 2 == 0);
    assert_eq!(fit(&sets(&published, "")), None);
}

#[test]
fn medians_and_means() {
    assert_eq!((median(vec![]), median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0])), (None, Some(2.0), Some(1.0)));
    assert!((mean([1.0, 2.0].into_iter()) - 1.5).abs() < 1e-12 && mean(std::iter::empty()).abs() < 1e-12);
}
