use super::*;
use crate::testing::{SIZES, drawn};

fn entry() -> PromptEntry {
    PromptEntry::new(
        "Try it",
        vec!["3 targets: vllm-sim, tgi-sim, ollama-sim. Names are hidden until you vote.".into()],
    )
}

fn type_in(entry: &mut PromptEntry, text: &str) {
    for c in text.chars() {
        assert_eq!(entry.press(KeyEvent::from(KeyCode::Char(c))), Reaction::Stay);
    }
}

#[test]
fn what_is_typed_is_what_is_asked() {
    let mut entry = entry();
    assert_eq!(entry.press(KeyEvent::from(KeyCode::Enter)), Reaction::Stay, "nothing to ask yet");
    type_in(&mut entry, "Why is the sky blu?");
    entry.press(KeyEvent::from(KeyCode::Left));
    type_in(&mut entry, "e");
    entry.press(KeyEvent::new(KeyCode::End, KeyModifiers::NONE));
    entry.press(KeyEvent::new(KeyCode::Enter, KeyModifiers::ALT));
    type_in(&mut entry, "Übrigens: 日本 🏁");
    entry.press(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::CONTROL));
    assert_eq!(entry.text().unwrap(), "Why is the sky blue?\nÜbrigens: 日本 🏁");
    assert_eq!(entry.press(KeyEvent::from(KeyCode::Enter)), Reaction::Leave);
    assert_eq!(entry.press(KeyEvent::from(KeyCode::Esc)), Reaction::Abort);
}

#[test]
fn pasted_text_keeps_its_lines_and_loses_what_could_do_harm() {
    let mut entry = entry();
    entry.paste("one\r\ntwo\rthree\n\tfour \u{1b}[2J\u{202e}\u{200b}\u{7}five\u{0}");
    assert_eq!(entry.text().unwrap(), "one\ntwo\nthree\n    four [2Jfive");
}

#[test]
fn a_prompt_has_a_longest() {
    let mut entry = entry();
    entry.paste(&"ä".repeat(LONGEST_PROMPT));
    assert_eq!(entry.text().unwrap().len(), LONGEST_PROMPT);
    assert!(entry.foot().contains("no room for more: a prompt has 16 KiB at most"));
    type_in(&mut entry, "x");
    assert_eq!(entry.text().unwrap().len(), LONGEST_PROMPT);
    entry.press(KeyEvent::from(KeyCode::Backspace));
    type_in(&mut entry, "x");
    assert!(entry.text().unwrap().ends_with("äx") && !entry.is_full);
}

#[test]
fn an_empty_field_is_ended_like_a_shell() {
    let control_d = KeyEvent::new(KeyCode::Char('d'), KeyModifiers::CONTROL);
    assert_eq!(entry().press(control_d), Reaction::Abort);
    let mut begun = entry();
    type_in(&mut begun, "x");
    assert_eq!(begun.press(control_d), Reaction::Stay);
}

#[test]
fn it_looks_like_this() {
    for size in SIZES {
        let mut entry = entry();
        insta::assert_snapshot!(format!("empty_{}x{}", size.0, size.1), drawn(&mut entry, 0, size));
        entry.paste("Explain to a colleague why a queue that is never empty is a sign of too little capacity and not of high demand.\n\nUse one example. 例えば、パン屋の行列 🥖.");
        insta::assert_snapshot!(format!("typed_{}x{}", size.0, size.1), drawn(&mut entry, 0, size));
    }
}

#[test]
fn no_size_is_too_small() {
    let mut entry = entry();
    entry.paste("a\nb\nc 日本");
    for size in [(1, 1), (2, 3), (5, 2), (10, 4)] {
        drawn(&mut entry, 0, size);
    }
}
