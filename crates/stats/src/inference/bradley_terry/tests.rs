use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha12Rng;

use super::*;

fn choice(shown: &[usize], preferred: Option<usize>) -> Choice {
    Choice { shown: shown.to_vec(), preferred }
}

fn repeated(times: usize, of: &Choice) -> Vec<Choice> {
    vec![of.clone(); times]
}

#[test]
fn two_that_win_as_often_are_alike() {
    let choices = [repeated(7, &choice(&[0, 1], Some(0))), repeated(7, &choice(&[1, 0], Some(1)))].concat();
    let found = bradley_terry(2, &choices).unwrap();
    let Estimate { value, low, high } = found.difference(0, 1);
    assert!(value.abs() < 1e-9);
    assert!((low.unwrap() + high.unwrap()).abs() < 1e-6, "{low:?} {high:?}");
    assert!(found.p(0, 1) > 0.999);
    assert_eq!(found.leader().needs_more, None, "no number of choices tells what is alike apart");
}

#[test]
fn one_that_always_wins_has_a_finite_strength_and_a_long_interval() {
    let found = bradley_terry(3, &repeated(3, &choice(&[0, 1, 2], Some(2)))).unwrap();
    let Estimate { value, low, high } = found.of(2);
    let (low, high) = (low.unwrap(), high.unwrap());
    assert!(low < value && value < high && high.is_finite(), "{low} {value} {high}");
    assert!(high - value > value - low, "there is more room above");
    let leader = found.leader();
    assert_eq!(leader.contender, 2);
    assert!(leader.p > 0.05 && leader.needs_more.is_none(), "three choices say nothing of the next: {leader:?}");
}

#[test]
fn a_leader_is_told_once_there_are_enough_choices() {
    let first = choice(&[0, 1, 2], Some(0));
    let choices = [repeated(40, &first), repeated(12, &choice(&[0, 1, 2], Some(1)))].concat();
    let leader = bradley_terry(3, &choices).unwrap().leader();
    assert_eq!((leader.contender, leader.needs_more), (0, None));
    assert!(leader.p < 0.01, "{leader:?}");
}

#[test]
fn as_many_more_as_it_says_would_tell() {
    let some = |times: usize| {
        [repeated(6 * times, &choice(&[0, 1], Some(0))), repeated(4 * times, &choice(&[0, 1], Some(1)))].concat()
    };
    let few = bradley_terry(2, &some(3)).unwrap();
    let more = usize::try_from(few.leader().needs_more.unwrap()).unwrap();
    let total = (few.choices() + more) / 10;
    assert!(bradley_terry(2, &some(total / 2)).unwrap().leader().p > 0.05);
    assert!(bradley_terry(2, &some(total * 3 / 2)).unwrap().leader().p < 0.05);
}

#[test]
fn all_alike_is_an_equal_part_for_each() {
    let ties = bradley_terry(2, &repeated(10, &choice(&[0, 1], None))).unwrap();
    let wins: Vec<Choice> = (0..10).map(|i| choice(&[0, 1], Some(i % 2))).collect();
    let halves = bradley_terry(2, &wins).unwrap();
    assert_eq!(ties.difference(0, 1), halves.difference(0, 1));
    assert_eq!(ties.choices(), 10);
}

#[test]
fn choices_that_make_no_sense_count_for_nothing() {
    let senseless =
        [choice(&[0], Some(0)), choice(&[0, 0], Some(0)), choice(&[0, 5], Some(5)), choice(&[0, 1], Some(2))];
    assert!(bradley_terry(3, &senseless).is_none());
    assert!(bradley_terry(1, &[choice(&[0, 1], Some(0))]).is_none());
    assert!(bradley_terry(MOST_CONTENDERS + 1, &[choice(&[0, 1], Some(0))]).is_none());
    let with_one = [senseless.to_vec(), vec![choice(&[0, 1], Some(0))]].concat();
    assert_eq!(bradley_terry(3, &with_one).unwrap().choices(), 1);
}

#[test]
fn contenders_that_never_met_are_held_apart_by_nothing() {
    let choices = [choice(&[0, 1], Some(0)), choice(&[2, 3], Some(2))];
    let found = bradley_terry(4, &choices).unwrap();
    let apart = found.difference(0, 2);
    assert!(apart.value.abs() < 1e-9 && apart.low.unwrap() < -2.0, "{apart:?}");
}

/// Of intervals made of choices under known strengths, about 95 in 100 hold the difference they were drawn from.
#[test]
fn intervals_cover_what_they_are_about() {
    let strengths = [0.6_f64, 0.0, -0.4];
    let truth = strengths[0] - strengths[1];
    let whole: f64 = strengths.iter().map(|s| s.exp()).sum();
    let mut random = ChaCha12Rng::seed_from_u64(7);
    let worlds = 300;
    let covered = (0..worlds).filter(|_| {
        let choices: Vec<Choice> = (0..30)
            .map(|_| {
                let mut at = random.random::<f64>() * whole;
                let chosen = strengths.iter().position(|s| {
                    at -= s.exp();
                    at <= 0.0
                });
                choice(&[0, 1, 2], Some(chosen.unwrap_or(2)))
            })
            .collect();
        let Estimate { low, high, .. } = bradley_terry(3, &choices).unwrap().difference(0, 1);
        low.unwrap() <= truth && truth <= high.unwrap()
    });
    let share = covered.count() as f64 / f64::from(worlds);
    assert!((0.92..=0.985).contains(&share), "{share}");
}

fn a_choice(contenders: usize) -> impl Strategy<Value = Choice> {
    let shown = proptest::sample::subsequence((0..contenders).collect::<Vec<_>>(), 2..=contenders);
    (shown, any::<proptest::sample::Index>(), any::<bool>()).prop_map(|(shown, which, tie)| {
        let preferred = (!tie).then(|| *which.get(&shown));
        Choice { shown, preferred }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn an_interval_holds_its_value_and_turning_it_round_turns_its_ends(
        choices in proptest::collection::vec(a_choice(4), 1..40),
    ) {
        let found = bradley_terry(4, &choices).unwrap();
        let there = found.difference(0, 3);
        let back = found.difference(3, 0);
        prop_assert!(there.low.unwrap() < there.value && there.value < there.high.unwrap());
        prop_assert!((there.low.unwrap() + back.high.unwrap()).abs() < 1e-6);
        prop_assert!((0.0..=1.0).contains(&found.leader().p));
        for contender in 0..4 {
            let of = found.of(contender);
            prop_assert!(of.low.unwrap() < of.value && of.value < of.high.unwrap());
        }
    }
}
