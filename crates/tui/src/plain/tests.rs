use schema::progress::Progress;
use schema::record::ConnectTimes;
use schema::units::Nanos;

use super::Plain;
use crate::replay::fixture::{answered, live, names, race, setup};

/// All that is said of these steps, a line a sentence.
fn told(runs: u32, steps: impl IntoIterator<Item = Progress>) -> String {
    let mut plain = Plain::new(&setup(runs));
    steps.into_iter().flat_map(|progress| plain.fold(&progress)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_race_is_told_in_sentences() {
    let opened = vec![ConnectTimes { dns_ns: None, tcp_ns: Nanos(120_000), tls_ns: None }];
    let warmed = || Progress::Warmed { target: names()[1].clone(), opened: opened.clone() };
    let mut steps: Vec<_> = live(&race()).into_iter().map(|(_, progress)| progress).collect();
    steps.splice(1..1, [warmed(), warmed(), Progress::Note("a note".to_owned())]);
    insta::assert_snapshot!(told(2, steps));
}

#[test]
fn of_many_heats_most_are_told_in_brief() {
    let records: Vec<_> = (0..40)
        .flat_map(|heat| (0..3).map(move |lane| answered(lane, heat, 1_000 + 500 * u64::from(heat), (5, 40, 10))))
        .collect();
    let told = told(40, live(&records).into_iter().map(|(_, progress)| progress));
    let over: Vec<_> = told.lines().filter(|line| line.contains("is over")).collect();
    assert!((8..=14).contains(&over.len()), "a heat takes half a second, a sentence may come every two:\n{told}");
    assert!(over.last().unwrap().starts_with("Run 40 of 40 is over: "), "{told}");
    assert!(!told.contains("Run 4 of 40 begins"), "{told}");
}
