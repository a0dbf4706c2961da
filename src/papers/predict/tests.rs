use proptest::prelude::*;

use super::*;

const SHARED: Setup = Setup { limiter: Limiter::SemaphoreOfTwo, backend: Backend::SharedDevice };

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn agent(tokens: u32, load: u64, prompt_eval: u64) -> Counters {
    Counters { tokens, load: ms(load), prompt_eval: ms(prompt_eval) }
}

/// 100 tokens a second alone, 40 each of two, a gap of 300 ms.
fn input(agents: [Counters; 2]) -> Input {
    Input { agents, constants: Constants { alone: 100.0, together: 40.0, gap: ms(300) } }
}

fn spans(input: &Input, setup: Setup) -> [[u64; 2]; 2] {
    predict(input, setup).0.map(|span| [span.sent, span.ended].map(|at| at.as_nanos() / 1_000_000))
}

#[test]
fn two_share_the_device_while_both_decode() {
    // Both come at 500 ms. 40 tokens at 40/s take one second; the other's 60 that are left take 0.6 s alone.
    let both = input([agent(40, 100, 100), agent(100, 150, 50)]);
    assert_eq!(spans(&both, SHARED), [[0, 1_500], [0, 2_100]]);
    assert_eq!(predict(&both, SHARED).wall(), ms(2_100));
    let independent = Setup { backend: Backend::Independent, ..SHARED };
    assert_eq!(spans(&both, independent), [[0, 900], [0, 1_500]]);
}

#[test]
fn with_one_slot_the_second_waits_for_the_first_and_then_has_the_device_alone() {
    let slot = Setup { backend: Backend::OneSlot, ..SHARED };
    let both = input([agent(40, 100, 100), agent(100, 150, 50)]);
    assert_eq!(spans(&both, slot), [[0, 900], [0, 1_950]]);
    // A load that ends after the first has: it held the wait already.
    let reload = input([agent(40, 100, 100), agent(100, 2_700, 50)]);
    assert_eq!(spans(&reload, slot), [[0, 900], [0, 4_050]]);
    // The second stays the second, though its load is shorter.
    let shorter = input([agent(40, 200, 0), agent(100, 0, 0)]);
    assert_eq!(spans(&shorter, slot), [[0, 900], [0, 1_900]]);
}

#[test]
fn a_mutex_lets_the_second_send_when_the_first_has_ended() {
    let both = input([agent(40, 100, 100), agent(100, 150, 50)]);
    assert_eq!(spans(&both, Setup { limiter: Limiter::Mutex, ..SHARED }), [[0, 900], [900, 2_400]]);
}

fn counters() -> impl Strategy<Value = Counters> {
    (1_u32..1_000, 0_u64..5_000, 0_u64..500).prop_map(|(tokens, load, prompt)| agent(tokens, load, prompt))
}

proptest! {
    #[test]
    fn a_mutex_gives_half_whatever_runs_behind_it(one in counters(), other in counters()) {
        for backend in [Backend::Independent, Backend::SharedDevice, Backend::OneSlot] {
            let efficiency = predict(&input([one, other]), Setup { limiter: Limiter::Mutex, backend }).efficiency_pct();
            prop_assert!((efficiency - 50.0).abs() < 1e-9, "{}", efficiency);
        }
    }

    #[test]
    fn a_semaphore_of_two_is_no_limiter_for_two(one in counters(), other in counters()) {
        for backend in [Backend::Independent, Backend::SharedDevice, Backend::OneSlot] {
            let with = |limiter| predict(&input([one, other]), Setup { limiter, backend });
            prop_assert_eq!(with(Limiter::None), with(Limiter::SemaphoreOfTwo));
        }
    }

    #[test]
    fn who_is_first_matters_only_where_one_waits_for_the_other(one in counters(), other in counters()) {
        let [a, b] = predict(&input([one, other]), SHARED).0;
        let [c, d] = predict(&input([other, one]), SHARED).0;
        let near = |x: Span, y: Span| x.ended.as_nanos().abs_diff(y.ended.as_nanos()) <= 2;
        prop_assert!(near(a, d) && near(b, c));
    }

    #[test]
    fn sharing_never_makes_anybody_faster(one in counters(), other in counters()) {
        let alone = predict(&input([one, other]), Setup { backend: Backend::Independent, ..SHARED }).0;
        let shared = predict(&input([one, other]), SHARED).0;
        prop_assert!(alone.iter().zip(shared).all(|(alone, shared)| alone.ended <= shared.ended));
    }
}
