use super::*;

fn contender(name: &str, model: &str) -> Contender {
    Contender { target: name.parse().unwrap(), provider: "vllm".into(), model: model.into(), simulated: false }
}

/// A vote among those named, in that order; `best`: one of them, `=` or `-`.
fn vote(shown: &[&str], best: &str) -> Vote {
    Vote {
        format_version: 1,
        at: jiff::Timestamp::UNIX_EPOCH,
        run_id: "00000000-0000-0000-0000-000000000000".parse().unwrap(),
        run: "run".to_owned(),
        prompt: "?".into(),
        shown: shown.iter().map(|name| contender(name, "m")).collect(),
        preference: match best {
            "=" => Preference::AllAlike,
            "-" => Preference::Skipped,
            name => Preference::One(name.parse().unwrap()),
        },
    }
}

#[test]
fn votes_are_counted_by_who_was_shown() {
    let votes = [
        vote(&["a", "b", "c"], "a"),
        vote(&["c", "b", "a"], "a"),
        vote(&["b", "a", "c"], "="),
        vote(&["b", "a"], "b"),
        vote(&["a", "b", "c"], "-"),
    ];
    let tally = tally(&votes);
    let counts: Vec<_> =
        tally.contenders.iter().map(|v| (v.contender.target.as_str(), v.shown, v.preferred, v.alike)).collect();
    assert_eq!(counts, [("a", 4, 2, 1), ("b", 4, 1, 1), ("c", 3, 0, 1)]);
    assert_eq!((tally.votes, tally.skipped, tally.first_shown_preferred), (4, 1, 2));
    assert!((tally.first_shown_expected - (1.0 / 3.0 + 1.0 / 3.0 + 0.5)).abs() < 1e-12);
    assert!(!tally.has_leader() && tally.leader_p.is_some(), "{tally:?}");
    for votes in &tally.contenders {
        let Estimate { value, low, high } = votes.chance;
        assert!(0.0 < low.unwrap() && low.unwrap() < value && value < high.unwrap() && high.unwrap() < 1.0);
    }
}

#[test]
fn the_same_name_with_another_model_is_another_contender() {
    let mut later = vote(&["a", "b"], "a");
    later.shown[0] = contender("a", "bigger");
    let tally = tally(&[vote(&["a", "b"], "b"), later]);
    assert_eq!(tally.contenders.len(), 3);
}

#[test]
fn no_votes_are_no_tally_and_unsound_ones_are_none() {
    assert_eq!(tally(&[]), Tally::default());
    let unsound = vote(&["a", "b"], "c");
    assert_eq!(tally(&[unsound, vote(&["a"], "a")]), Tally::default());
}

#[test]
fn those_shown_least_often_are_left_out_beyond_what_can_be_told_apart() {
    let names: Vec<String> = (0..40).map(|i| format!("t{i}")).collect();
    let mut votes: Vec<Vote> = names.windows(2).map(|pair| vote(&[&pair[0], &pair[1]], &pair[0])).collect();
    votes.extend((0..5).map(|_| vote(&["t3", "t4"], "t3")));
    let tally = tally(&votes);
    assert_eq!((tally.contenders.len(), tally.left_out), (MOST_CONTENDERS, 8));
    let place = |name: &str| tally.contenders.iter().position(|v| v.contender.target.as_str() == name).unwrap();
    assert!(place("t3") < place("t4"), "five votes more");
}
