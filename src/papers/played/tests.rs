use rstest::rstest;

use super::*;
use crate::papers::data::{sets, tr113_tr114};
use crate::papers::judge::judge;
use crate::papers::predict::{Backend, Setup, predict};
use crate::papers::published::Published;
use crate::runtimes::of;
use crate::variant::Variant;

#[rstest]
#[case::semaphore(Limiter::SemaphoreOfTwo)]
#[case::none(Limiter::None)]
#[case::mutex(Limiter::Mutex)]
fn the_engine_serves_what_the_prediction_says_to_the_millisecond(#[case] limiter: Limiter) {
    let Some(variant) = Variant::ALL.first() else { return };
    for published in [Published::built_in().unwrap(), tr113_tr114().unwrap()] {
        let sets = sets(&published, "");
        let judged = judge(&sets, "").unwrap();
        for judged in judged.iter().filter(|judged| judged.run.is_warm()).step_by(17) {
            let input = judged.run.input(judged.constants);
            let predicted = predict(&input, Setup { limiter, backend: Backend::SharedDevice });
            let played = play(judged, of(*variant), limiter).unwrap().spans;
            let apart = predicted.wall().abs_diff(played.wall());
            assert!(apart < Duration::from_millis(1), "{:?} {predicted:?} {played:?}", judged.run.row);
            if limiter == Limiter::Mutex {
                // Who gets the mutex first is the runtime's to say.
                continue;
            }
            for (predicted, played) in predicted.0.iter().zip(played.0) {
                let apart = predicted.ended.as_nanos().abs_diff(played.ended.as_nanos());
                assert!(apart < 1_000_000, "{predicted:?} {played:?}");
            }
        }
    }
}
