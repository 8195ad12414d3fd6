use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::Line;
use schema::text::Untrusted;
use schema::units::Moment;

use super::{Answer, Answers, Page, Pages};
use crate::{Reaction, Screen, Theme, ThemeName, View};

/// What `screen` draws at that size.
fn drawn(screen: &mut dyn Screen, (columns, rows): (u16, u16)) -> String {
    let theme = Theme::of(ThemeName::Dark);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let view = View { now: Moment::EPOCH, theme: &theme, missed: 0 };
    terminal.draw(|frame| screen.draw(frame, &view)).unwrap();
    terminal.backend().to_string()
}

fn press(screen: &mut dyn Screen, codes: &[KeyCode]) -> Reaction {
    codes.iter().fold(Reaction::Stay, |_, code| screen.press(KeyEvent::from(*code)))
}

fn numbered(count: usize) -> Page {
    Page::new("Numbers", move |width, _| (1..=count).map(|n| Line::from(format!("line {n} of {width}"))).collect())
}

#[test]
fn a_page_scrolls_and_says_where_it_is() {
    let mut page = numbered(100);
    assert!(drawn(&mut page, (40, 10)).contains("1–7 of 100"));
    press(&mut page, &[KeyCode::Down]);
    assert!(drawn(&mut page, (40, 10)).contains("2–8 of 100"));
    press(&mut page, &[KeyCode::PageDown]);
    assert!(drawn(&mut page, (40, 10)).contains("8–14 of 100"));
    press(&mut page, &[KeyCode::End, KeyCode::Down]);
    assert!(drawn(&mut page, (40, 10)).contains("94–100 of 100"));
    press(&mut page, &[KeyCode::Home, KeyCode::Up]);
    assert!(drawn(&mut page, (40, 10)).contains("1–7 of 100"));
}

#[test]
fn a_page_that_is_shown_whole_says_so_and_does_not_move() {
    let mut page = numbered(3);
    drawn(&mut page, (40, 10));
    press(&mut page, &[KeyCode::PageDown, KeyCode::Down, KeyCode::End]);
    let shown = drawn(&mut page, (40, 10));
    assert!(shown.contains("line 1 of 40") && shown.contains(" all\""), "{shown}");
}

#[test]
fn a_page_is_laid_out_anew_for_another_width() {
    let mut page = numbered(3);
    assert!(drawn(&mut page, (40, 10)).contains("of 40"));
    assert!(drawn(&mut page, (60, 10)).contains("of 60"));
}

#[test]
fn a_page_that_shrinks_below_its_place_shows_its_end() {
    let mut page = numbered(20);
    drawn(&mut page, (40, 10));
    press(&mut page, &[KeyCode::End]);
    assert!(drawn(&mut page, (40, 20)).contains("4–20 of 20"));
}

#[test]
fn pages_are_drawn_at_any_size() {
    for size in [(1, 1), (2, 3), (10, 2), (3, 40)] {
        drawn(&mut numbered(9), size);
        drawn(&mut answers(), size);
    }
}

#[test]
fn a_page_at_three_sizes() {
    for (columns, rows) in [(80, 24), (120, 40), (250, 70)] {
        insta::assert_snapshot!(format!("page_{columns}x{rows}"), drawn(&mut numbered(100), (columns, rows)));
    }
}

fn answers() -> Answers {
    let answer = |name: &str, text: &str| Answer {
        name: name.into(),
        simulated: name == "tgi",
        figures: vec!["TTFT 120 ms".into(), "42 tokens/s".into()],
        text: Untrusted::bounded(text, usize::MAX),
        reasoning: None,
        trouble: None,
    };
    let long: Vec<_> = (1..=60).map(|n| format!("Sentence {n} of a long answer.")).collect();
    Answers::new(
        "Answers",
        vec![
            answer("vllm", &long.join(" ")),
            Answer {
                reasoning: Some("The user wants a colour.".into()),
                ..answer("tgi", "Blue.\n\nAnd 青い空 👩‍👩‍👧 too.")
            },
            Answer { trouble: Some("reset by peer \u{1b}[2J".into()), ..answer("ollama", "\u{202e}Once upon") },
        ],
    )
}

#[test]
fn answers_at_three_sizes() {
    for (columns, rows) in [(80, 24), (120, 40), (250, 70)] {
        insta::assert_snapshot!(format!("answers_{columns}x{rows}"), drawn(&mut answers(), (columns, rows)));
    }
}

#[test]
fn no_word_of_an_answer_is_out_of_reach() {
    let mut screen = answers();
    let mut seen = drawn(&mut screen, (80, 12));
    for _ in 0..100 {
        press(&mut screen, &[KeyCode::Down]);
        seen.push_str(&drawn(&mut screen, (80, 12)));
    }
    for n in 1..=60 {
        assert!(seen.contains(&format!(" {n} ")), "sentence {n}");
    }
}

#[test]
fn an_answer_can_be_scrolled_alone() {
    let mut screen = answers();
    drawn(&mut screen, (80, 12));
    press(&mut screen, &[KeyCode::Tab, KeyCode::Tab, KeyCode::End]);
    assert!(drawn(&mut screen, (80, 12)).contains("Sentence 1 of"), "the first did not move");
    press(&mut screen, &[KeyCode::BackTab, KeyCode::End]);
    assert!(!drawn(&mut screen, (80, 12)).contains("Sentence 1 of"), "the first moved");
}

#[test]
fn answers_that_have_no_room_are_reached_by_choosing_them() {
    let mut screen = answers();
    let shown = drawn(&mut screen, (40, 12));
    assert!(shown.contains("vllm") && !shown.contains("ollama") && shown.contains("2 more: Tab"), "{shown}");
    press(&mut screen, &[KeyCode::Tab, KeyCode::Tab, KeyCode::Tab]);
    let shown = drawn(&mut screen, (40, 12));
    assert!(shown.contains("ollama") && !shown.contains("vllm"), "{shown}");
}

#[test]
fn a_deck_goes_on_and_back_and_is_left_at_its_end() {
    let mut deck = Pages::new(Box::new(numbered(1))).then(answers()).then(numbered(2));
    assert_eq!(press(&mut deck, &[KeyCode::Enter, KeyCode::Enter, KeyCode::Backspace]), Reaction::Stay);
    assert_eq!(deck.at(), 1);
    assert_eq!(press(&mut deck, &[KeyCode::Left, KeyCode::Left]), Reaction::Stay);
    assert_eq!(deck.at(), 0);
    assert_eq!(press(&mut deck, &[KeyCode::Enter, KeyCode::Enter, KeyCode::Enter]), Reaction::Leave);
    assert_eq!(press(&mut deck, &[KeyCode::Char('q')]), Reaction::Leave);
}
