use schema::summary::Estimate;
use schema::text::Untrusted;
use schema::vote::{Contender, Tally, Votes};

use super::*;
use crate::testing::{SIZES, drawn};

fn answer(name: &str, text: &str) -> Answer {
    Answer {
        name: name.to_owned(),
        simulated: false,
        figures: Vec::new(),
        text: Untrusted::from(text),
        reasoning: None,
        trouble: text.is_empty().then(|| Untrusted::from("server error: out of memory")),
    }
}

const TEXTS: [&str; 3] = [
    "A queue that is never empty means that work comes in faster than it is done.\n\nTake a bakery: if the line reaches \
     the street from morning to evening, one more baker would find work all day.",
    "\u{1b}[31mRED\u{1b}[0m \u{202e}backwards\u{202c} 日本語 🏁🏁 👨‍👩‍👧‍👦 averyveryveryveryverylongwordwithoutanyspacesinitthatgoeson",
    "",
];

fn voting() -> Voting {
    Voting::new((0..3).map(|place| answer(&letter(place), TEXTS[place])).collect(), 2)
}

fn press(screen: &mut dyn Screen, code: KeyCode) -> Reaction {
    screen.press(KeyEvent::from(code))
}

#[test]
fn a_vote_is_chosen_and_then_said() {
    let mut voting = voting();
    assert_eq!(press(&mut voting, KeyCode::Enter), Reaction::Stay, "nothing is chosen");
    assert_eq!(press(&mut voting, KeyCode::Char('b')), Reaction::Stay);
    assert_eq!(press(&mut voting, KeyCode::Char('A')), Reaction::Stay);
    assert_eq!(press(&mut voting, KeyCode::Char('x')), Reaction::Stay);
    assert_eq!(press(&mut voting, KeyCode::Enter), Reaction::Leave);
    assert_eq!(voting.ballot(), Some(Ballot::One(0)));
}

#[test]
fn an_answer_that_says_nothing_cannot_be_the_best() {
    let mut voting = voting();
    press(&mut voting, KeyCode::Char('c'));
    assert_eq!(voting.ballot(), None);
}

#[test]
fn simulated_answers_are_told_without_telling_which() {
    let drawn_with =
        |simulated| drawn(&mut Voting::new(vec![answer("A", "x"), answer("B", "y")], simulated), 0, (80, 24));
    assert!(!drawn_with(0).contains("SIMULATED"));
    assert!(drawn_with(1).contains("SIMULATED: some of them"));
    assert!(drawn_with(2).contains("SIMULATED: all of them"));
}

#[test]
fn a_tie_and_no_vote_are_votes_too() {
    for (key, expected) in [('t', Ballot::AllAlike), ('s', Ballot::Skipped)] {
        let mut voting = voting();
        press(&mut voting, KeyCode::Char(key));
        assert_eq!(press(&mut voting, KeyCode::Enter), Reaction::Leave);
        assert_eq!(voting.ballot(), Some(expected));
    }
    let mut left = voting();
    assert_eq!(press(&mut left, KeyCode::Esc), Reaction::Leave);
    assert_eq!(left.ballot(), Some(Ballot::Skipped));
}

#[test]
fn places_have_letters_however_many_there_are() {
    assert_eq!([0, 5, 25, 26, 999].map(letter), ["A", "F", "Z", "#27", "#1000"]);
}

fn votes(name: &str, simulated: bool, counts: (u64, u64, u64), chance: (f64, f64, f64)) -> Votes {
    let contender = Contender {
        target: name.parse().unwrap(),
        provider: "vllm".into(),
        model: "qwen3-8b-instruct\u{1b}[2J".into(),
        simulated,
    };
    let (shown, preferred, alike) = counts;
    let chance = Estimate { value: chance.0, low: Some(chance.1), high: Some(chance.2) };
    Votes { contender, shown, preferred, alike, chance }
}

fn tally() -> Tally {
    Tally {
        votes: 11,
        skipped: 1,
        first_shown_preferred: 4,
        first_shown_expected: 3.3,
        contenders: vec![
            votes("groq", false, (11, 6, 1), (0.71, 0.45, 0.88)),
            votes("vllm-sim", true, (11, 3, 1), (0.44, 0.21, 0.69)),
            votes("ollama-sim", true, (9, 1, 1), (0.24, 0.06, 0.55)),
        ],
        left_out: 0,
        leader_p: Some(0.21),
        needs_more: Some(14),
    }
}

#[test]
fn it_looks_like_this() {
    for size in SIZES {
        let of = |name: &str| format!("{name}_{}x{}", size.0, size.1);
        let mut voting = voting();
        insta::assert_snapshot!(of("asked"), drawn(&mut voting, 0, size));
        press(&mut voting, KeyCode::Char('b'));
        insta::assert_snapshot!(of("chosen"), drawn(&mut voting, 0, size));
        let named = ["groq", "vllm-sim", "ollama-sim"].iter().zip(TEXTS).map(|(name, text)| Answer {
            simulated: name.ends_with("sim"),
            figures: vec!["qwen3-8b".into(), "TTFT 41.2 ms · E2E 1.92 s".into()],
            ..answer(name, text)
        });
        let mut revealed =
            Revealed::new("You preferred B: vllm-sim (SIMULATED)", named.collect(), tally_page(&tally()));
        insta::assert_snapshot!(of("revealed"), drawn(&mut revealed, 0, size));
        press(&mut revealed, KeyCode::Char('t'));
        insta::assert_snapshot!(of("tally"), drawn(&mut revealed, 0, size));
    }
}

#[test]
fn the_tally_is_left_before_the_answers_are() {
    let mut revealed = Revealed::new("x", vec![answer("groq", "y")], tally_page(&tally()));
    press(&mut revealed, KeyCode::Char('t'));
    assert_eq!(press(&mut revealed, KeyCode::Char('q')), Reaction::Stay);
    assert_eq!(press(&mut revealed, KeyCode::Char('q')), Reaction::Abort);
    assert_eq!(press(&mut revealed, KeyCode::Enter), Reaction::Leave);
}

#[test]
fn no_size_is_too_small() {
    for size in [(1, 1), (3, 2), (9, 5), (12, 3)] {
        drawn(&mut voting(), 0, size);
        let mut revealed = Revealed::new("x", vec![answer("groq", "y")], tally_page(&tally()));
        press(&mut revealed, KeyCode::Char('t'));
        drawn(&mut revealed, 0, size);
    }
}

#[test]
fn votes_are_told_in_lines_that_fit() {
    let text = tally_text(&tally(), 80);
    assert!(text.lines().all(|line| crate::text::width(line) <= 80), "{text}");
    assert!(text.starts_with("Votes: ") && text.contains("1. ") && text.contains('●'), "{text}");
}

#[test]
fn a_name_gives_way_before_what_was_counted() {
    let mut tally = tally();
    for (place, votes) in tally.contenders.iter_mut().enumerate() {
        votes.contender.target = format!("{}-{place}", "very".repeat(14)).parse().unwrap();
    }
    for columns in [80, 60, 40] {
        let text = tally_text(&tally, columns);
        assert!(text.lines().all(|line| crate::text::width(line) <= columns.into()), "{text}");
    }
    let text = tally_text(&tally, 60);
    let of_simulated = text.lines().find(|line| line.starts_with("2. ")).unwrap();
    assert!(of_simulated.ends_with("… SIMULATED  preferred 3 of 11, alike 1"), "{text}");
}
