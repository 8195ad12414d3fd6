use super::*;

fn facts() -> Vec<Fact> {
    let fact =
        |kind, subject: &str, value: &str| Fact { kind, subject: subject.into(), value: value.into(), told_in: 0 };
    vec![
        fact(FactKind::Number, "the number of bees in the smaller hive", "4317"),
        fact(FactKind::Code, "the code of the bicycle shed", "KT-4821"),
        fact(FactKind::Name, "the name of the carpenter", "Greta Oakes"),
        fact(FactKind::Place, "the village where we meet", "Dunmere"),
        fact(FactKind::Number, "the number of jars in the cellar", "2750"),
        fact(FactKind::Code, "the label of the spare key", "RW-9034"),
        fact(FactKind::Name, "the name of the beekeeper", "Jonas Marlow"),
    ]
}

const NUMBER: usize = 0;
const CODE: usize = 1;
const NAME: usize = 2;
const PLACE: usize = 3;

#[track_caller]
fn check(asked: usize, answer: &str, expected: Recall) {
    assert_eq!(recall(&facts(), asked, answer).0, expected, "{answer:?}");
}

#[test]
fn a_value_is_known_however_it_is_written() {
    for answer in
        ["4317", "It is 4317.", "**4317**", "4,317", "4 317 bees", "4.317", "4’317", "4317bees", "`4317`", "４３１７"]
    {
        check(NUMBER, answer, Recall::Right);
    }
    for answer in ["KT-4821", "kt-4821", "KT4821", "KT 4821", "The code is “KT–4821”.", "KT - 4821"] {
        check(CODE, answer, if answer == "KT - 4821" { Recall::Partial } else { Recall::Right });
    }
    for answer in ["Greta Oakes", "GRETA OAKES!", "Her name is Greta\u{a0}Oakes, I think.", "Oakes, Greta"] {
        check(NAME, answer, Recall::Right);
    }
    for answer in ["Dunmere", "in dunmere.", "Dunmere's"] {
        check(PLACE, answer, Recall::Right);
    }
}

#[test]
fn a_part_is_not_the_whole() {
    for answer in ["Greta", "Mrs. Oakes", "Greta M. Oakes", "Greta Marlow", "Oakes and\nGreta"] {
        check(NAME, answer, Recall::Partial);
    }
    check(CODE, "4821", Recall::Partial);
    check(CODE, "KX-4821", Recall::Partial);
}

#[test]
fn a_longer_number_or_word_is_another_one() {
    for answer in ["14317", "43170", "4317.5", "24,317", "4,317,000", "431 7", "KT-4317", "-", "", "forty"] {
        check(NUMBER, answer, Recall::Wrong);
    }
    for answer in ["KT-48210", "AKT-4821x", "9KT-4821"] {
        let parts = answer.contains("4821") && !answer.contains("48210");
        check(CODE, answer, if parts { Recall::Partial } else { Recall::Wrong });
    }
    for answer in ["Dunmeres", "Dun mere", "Dun", "Old-Dunmereham"] {
        check(PLACE, answer, Recall::Wrong);
    }
}

#[test]
fn naming_several_is_not_knowing() {
    check(NUMBER, "4317 or 4318", Recall::Partial);
    check(NUMBER, "Either 4317, or 2750.", Recall::Partial);
    check(CODE, "KT-4821 or KT-4812", Recall::Partial);
    check(CODE, "KT-4821, RW-9034", Recall::Partial);
    check(NAME, "Greta Oakes or Jonas Marlow", Recall::Partial);
    // Whoever says again all that was said with it has not been asked for the first.
    check(NUMBER, "The village where we meet is Dunmere. The number of bees is 4317.", Recall::Partial);
    // After the answer, what is of another kind is no rival, and small numbers are about something else.
    check(NUMBER, "4317, and the village is Dunmere; you told me 3 turns ago", Recall::Right);
}

#[test]
fn another_value_that_was_told_is_a_confusion() {
    check(NUMBER, "It is 2750.", Recall::Confused);
    check(CODE, "4317", Recall::Confused);
    check(PLACE, "Greta Oakes", Recall::Confused);
}

#[test]
fn who_says_that_it_is_not_has_not_named_it() {
    check(NUMBER, "It is not 4317.", Recall::Wrong);
    check(PLACE, "It isn't Dunmere.", Recall::Wrong);
    check(PLACE, "It was never Dunmere", Recall::Wrong);
}

#[test]
fn who_does_not_know_says_so_in_many_ways() {
    for answer in ["I do not know.", "I don’t recall that.", "I'm sorry, but you haven't told me.", "NO IDEA"] {
        check(NUMBER, answer, Recall::Unknown);
    }
    check(NUMBER, "As an AI language model I love bees.", Recall::Wrong);
}

#[test]
fn thoughts_are_no_answer() {
    check(NUMBER, "<think>Was it 2750? No.</think>4317", Recall::Right);
    check(NUMBER, "<think>It was 4317.</think>I do not know.", Recall::Unknown);
    check(NUMBER, "<think>It was 4317, let me see", Recall::Wrong);
}

#[test]
fn the_excerpt_shows_what_decided_and_stays_short() {
    let long = format!("{} It is 4317. {}", "Well, let me think. ".repeat(50), "More words. ".repeat(50));
    let (verdict, excerpt) = recall(&facts(), NUMBER, &long);
    assert_eq!(verdict, Recall::Right);
    assert!(
        excerpt.raw().contains("4317") && excerpt.raw().starts_with('…') && excerpt.raw().len() < 180,
        "{excerpt:?}"
    );
    let wide = "é".repeat(300) + " Dunmere";
    assert!(recall(&facts(), PLACE, &wide).1.raw().contains("Dunmere"));
}

#[test]
fn no_answer_makes_it_panic() {
    for answer in
        ["\u{202e}４", "'4", "4,", ",4", "4,317,", "İ", "999 999 999 999 999 999 999", "a\u{301}4317", "KT-", "not"]
    {
        for asked in 0..9 {
            recall(&facts(), asked, answer);
        }
    }
}
