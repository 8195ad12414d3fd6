use super::*;
use crate::testing::{SIZES, drawn};

fn scene(title: &str, waits_for: WaitsFor) -> Scene {
    Scene {
        title: title.to_owned(),
        person: "The customer".to_owned(),
        setting: "A parcel has not come, and the chat window of the shop is open on a telephone at a bus stop.".into(),
        waits_for,
        messages: vec!["Where is it?".to_owned()],
    }
}

fn menu() -> SceneMenu {
    let scenes = vec![
        scene("Customer support", WaitsFor::FirstWords),
        scene("Code review", WaitsFor::WholeAnswer),
        scene("Creative writing", WaitsFor::BeyondReading),
    ];
    SceneMenu::new("Asked are three simulated engines; --live asks real ones", scenes, 0)
}

fn press(menu: &mut SceneMenu, code: KeyCode) -> Reaction {
    menu.press(KeyEvent::from(code))
}

#[test]
fn arrows_go_round_and_numbers_choose_at_once() {
    let mut menu = menu();
    press(&mut menu, KeyCode::Up);
    assert_eq!(menu.chosen(), 2);
    press(&mut menu, KeyCode::Down);
    press(&mut menu, KeyCode::Down);
    assert_eq!(menu.chosen(), 1);
    assert_eq!(press(&mut menu, KeyCode::Char('9')), Reaction::Stay);
    assert_eq!(press(&mut menu, KeyCode::Char('3')), Reaction::Leave);
    assert_eq!(menu.chosen(), 2);
    assert_eq!(press(&mut menu, KeyCode::Enter), Reaction::Leave);
    assert_eq!(press(&mut menu, KeyCode::Char('q')), Reaction::Abort);
}

#[test]
fn it_looks_like_this() {
    for size in SIZES {
        let mut menu = menu();
        press(&mut menu, KeyCode::Down);
        insta::assert_snapshot!(format!("menu_{}x{}", size.0, size.1), drawn(&mut menu, 0, size));
    }
}

#[test]
fn the_chosen_one_is_shown_whatever_the_room() {
    let mut menu = menu();
    press(&mut menu, KeyCode::End);
    assert!(drawn(&mut menu, 0, (60, 8)).contains("▶ 3  Creative writing"));
    for size in [(1, 1), (7, 3), (20, 5)] {
        drawn(&mut menu, 0, size);
    }
}
