mod telling;

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use schema::record::FailureClass;

use super::Conversation;
use crate::testing::SIZES;
use crate::text::width;
use crate::{Reaction, Screen as _};
use telling::{Telling, setup};

/// Frames of `telling` in all sizes, kept under `name`.
#[track_caller]
fn check(name: &str, telling: &mut Telling) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), telling.drawn(size));
    }
}

/// The first conversation is over, the second is in the middle of an answer: one remembers, one does not.
fn in_the_middle() -> Telling {
    let mut telling = Telling::of(2);
    telling.warms_up();
    for target in 0..2 {
        telling.talks(target, 0, 12);
        telling.talks(target, 1, 8);
    }
    telling.begins(0, 1, 8);
    telling.hears(0, "It is ");
    telling
}

#[test]
fn before_the_first_turn() {
    check("before", &mut Telling::of(3));
}

#[test]
fn in_the_middle_of_an_answer() {
    check("middle", &mut in_the_middle());
}

#[test]
fn all_is_said() {
    let mut telling = Telling::of(2);
    for target in 0..2 {
        (0..2).for_each(|conversation| telling.talks(target, conversation, 12));
    }
    telling.screen.close();
    check("over", &mut telling);
}

#[test]
fn a_turn_that_waits_and_one_that_fails() {
    let mut telling = Telling::of(2);
    telling.talks(0, 0, 4);
    telling.begins(0, 0, 4);
    telling.talks(1, 0, 3);
    telling.fails(1, 0, 3, FailureClass::BadRequest, "the prompt is \u{1b}[2Jtoo long for this model");
    check("waits_and_fails", &mut telling);
}

#[test]
fn more_targets_than_there_is_room_for_show_where_something_happened_last() {
    let mut telling = Telling::of(6);
    telling.talks(1, 0, 2);
    telling.talks(4, 0, 1);
    let drawn = telling.drawn((80, 24));
    assert!(drawn.contains("conversation 1 of 3"), "{drawn}");
    assert!(drawn.contains("llamacpp") && drawn.contains("tgi"), "{drawn}");
}

#[test]
fn hostile_answers_stay_in_their_place() {
    let mut telling = Telling::of(2);
    telling.begins(0, 0, 0);
    telling.hears(0, "\u{1b}[2J\u{202e}evil\u{202c} 👩‍👩‍👧‍👧 日本語 e\u{301}\u{200b} ");
    telling.hears(0, &"x".repeat(500));
    for size in SIZES {
        let rows = telling.rows(size);
        assert!(rows.iter().all(|row| width(row) == usize::from(size.0) && !row.contains('\u{1b}')), "{rows:#?}");
    }
}

#[test]
fn any_size_will_do() {
    let mut telling = in_the_middle();
    for columns in [1, 2, 5, 20, 37, 79, 151, 300] {
        for rows in [1, 2, 3, 5, 8, 13, 24, 90] {
            telling.rows((columns, rows));
        }
    }
}

#[test]
fn keys_stop_it_and_leave_it() {
    let press = |screen: &mut Conversation, code| screen.press(KeyEvent::from(code));
    let mut screen = Conversation::new(setup(1));
    assert_eq!(press(&mut screen, KeyCode::Char('s')), Reaction::Stop);
    assert_eq!(press(&mut screen, KeyCode::Char('q')), Reaction::Abort);
    assert_eq!(press(&mut screen, KeyCode::Enter), Reaction::Stay);
    screen.close();
    assert_eq!(press(&mut screen, KeyCode::Enter), Reaction::Leave);
    assert_eq!(press(&mut screen, KeyCode::Char('q')), Reaction::Leave);
    assert_eq!(press(&mut screen, KeyCode::Char('s')), Reaction::Stay);
}

#[test]
fn once_the_last_turn_was_answered_there_is_nothing_to_be_given_up() {
    let press = |telling: &mut Telling, code| telling.screen.press(KeyEvent::from(code));
    let mut telling = Telling::of(2);
    for target in 0..2 {
        (0..3).for_each(|conversation| telling.talks(target, conversation, if conversation < 2 { 12 } else { 11 }));
    }
    telling.answers(0, 2, 11);
    assert_eq!(press(&mut telling, KeyCode::Char('q')), Reaction::Abort, "the second is not through");
    telling.fails(1, 2, 11, FailureClass::ServerError, "try again");
    assert_eq!(press(&mut telling, KeyCode::Char('q')), Reaction::Abort, "it may be tried again");
    telling.answers(1, 2, 11);
    for code in [KeyCode::Char('q'), KeyCode::Esc, KeyCode::Enter] {
        assert_eq!(press(&mut telling, code), Reaction::Leave);
    }
    assert_eq!(press(&mut telling, KeyCode::Char('s')), Reaction::Stay, "nor to be stopped");
    assert!(telling.drawn((80, 24)).contains("Enter shows the results"));
}

#[test]
fn a_turn_that_is_tried_again_is_the_same_turn() {
    let mut telling = Telling::of(1);
    telling.talks(0, 0, 3);
    telling.fails(0, 0, 3, FailureClass::ServerError, "try again");
    telling.begins_again(0, 0, 3);
    let drawn = telling.drawn((120, 40));
    assert!(drawn.contains("turn 4 of 12") && drawn.contains("Read this, please"), "{drawn}");
}

#[test]
fn more_conversations_than_were_asked_for_are_accounted_for() {
    let mut telling = Telling::of(1);
    telling.talks(0, 3, 1);
    let told = telling.told.join("\n");
    assert!(told.contains("conversation 4, in place of one that broke off."), "{told}");
    telling.begins(0, 3, 1);
    let drawn = telling.drawn((120, 40));
    assert!(drawn.contains("in place of one that broke off"), "{drawn}");
}

#[test]
fn told_in_sentences() {
    let mut telling = Telling::of(2);
    telling.warms_up();
    telling.talks(0, 0, 12);
    telling.talks(1, 0, 6);
    telling.fails(1, 0, 6, FailureClass::Stalled, "nothing for 60 s");
    insta::assert_snapshot!(telling.told.join("\n"));
}
