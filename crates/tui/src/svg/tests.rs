use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{Film, MOST_BYTES, MOST_LOOKS};
use crate::theme::{Theme, ThemeName};

const DARK: Theme = Theme::of(ThemeName::Dark);

fn screen(lines: &[&str]) -> Buffer {
    let mut buffer = Buffer::with_lines(lines.iter().copied());
    DARK.paint(&mut buffer);
    buffer
}

fn film(frames: &[(u64, Buffer)]) -> String {
    let mut film = Film::new("a race", &DARK);
    for (at, screen) in frames {
        film.take(Duration::from_millis(*at), screen);
    }
    film.develop()
}

/// Texts that are written down, and uses of them.
fn count(svg: &str) -> (usize, usize) {
    let document = roxmltree::Document::parse(svg).unwrap();
    let of = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
    (of("text"), of("use"))
}

#[test]
fn one_frame_is_a_picture_that_stands_still() {
    let svg = film(&[(0, screen(&["one & <two>", "   three"]))]);
    assert_eq!(count(&svg), (2, 2));
    assert!(svg.contains(">one &amp; &lt;two&gt;</text>"), "{svg}");
    assert!(svg.contains("x=\"24\" y=\"16\""), "{svg}");
    assert!(!svg.contains("@keyframes"), "{svg}");
}

#[test]
fn what_stays_is_drawn_once_and_what_moves_is_written_once() {
    let frames = [
        (0, screen(&["title     ", "a line    ", "          "])),
        (500, screen(&["title     ", "          ", "a line    "])),
        (500, screen(&["title     ", "          ", "a line    "])),
        (1000, screen(&["title     ", "another   ", "a line    "])),
    ];
    let svg = film(&frames);
    assert_eq!(count(&svg), (3, 4));
    let document = roxmltree::Document::parse(&svg).unwrap();
    let style = document.descendants().find(|node| node.has_tag_name("style")).unwrap().text().unwrap();
    let (_, shots) = style.split_once("visibility:visible}").unwrap();
    insta::assert_snapshot!(shots.replace("}}", "}}\n"), @r"
    .s0{animation-name:k0}@keyframes k0{0%{visibility:visible}10%{visibility:hidden}}
    .s1{animation-name:k1}@keyframes k1{0%{visibility:hidden}10%{visibility:visible}to{visibility:visible}}
    .s2{animation-name:k2}@keyframes k2{0%{visibility:hidden}20%{visibility:visible}to{visibility:visible}}
    @media(prefers-reduced-motion:reduce){.s{animation:none}}
    ");
}

#[test]
fn who_sees_no_motion_sees_the_last_frame() {
    let svg = film(&[(0, screen(&["first"])), (500, screen(&["final"]))]);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let shown = document.descendants().filter(|node| node.attribute("class").is_some_and(|it| it.starts_with("s e")));
    let shown: Vec<_> = shown.flat_map(|group| group.children()).filter_map(|used| used.attribute("href")).collect();
    assert_eq!(shown, ["#t1"]);
    assert!(svg.contains(">final</text>"));
}

#[test]
fn a_picture_has_no_scripts_and_no_links() {
    let hostile = "<script>alert(1)</script>\" onload=\"x ]]> &#0; \u{FFFE}";
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 1));
    for (x, character) in (0..).zip(hostile.chars()) {
        buffer[(x, 0)].set_char(character);
    }
    let svg = film(&[(0, buffer)]);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let allowed = ["svg", "title", "style", "defs", "text", "rect", "g", "use"];
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(allowed.contains(&node.tag_name().name()), "{node:?}");
        assert!(node.attributes().all(|it| !it.name().starts_with("on")), "{node:?}");
        assert!(node.attribute("href").is_none_or(|it| it.starts_with("#t")), "{node:?}");
    }
    let shown = document.descendants().find(|node| node.has_tag_name("text")).unwrap().text().unwrap();
    assert_eq!(shown, hostile.replace('\u{FFFE}', "\u{FFFD}"));
}

#[test]
fn colours_and_weights_are_as_on_the_screen() {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
    buffer.set_string(0, 0, "bold", DARK.bad.add_modifier(Modifier::BOLD));
    buffer.set_string(5, 0, "marked", Style::new().add_modifier(Modifier::REVERSED));
    DARK.paint(&mut buffer);
    let svg = film(&[(0, buffer)]);
    assert!(svg.contains("class=\"b\" style=\"fill:#ff8787\" y=\"12\" textLength=\"32\""), "{svg}");
    assert!(svg.contains("<rect width=\"48\" height=\"16\" fill=\"#d0d0d0\"/><text style=\"fill:#121212\""), "{svg}");
}

/// A film of so many frames, of so many lines that always change.
#[track_caller]
fn check_bounds(frames: u32, lines: u32) {
    let mut film = Film::new("long", &DARK);
    for frame in 0..frames {
        let lines: Vec<String> = (0..lines).map(|row| format!("{:>60}", frame * 31 + row)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        film.take(Duration::from_millis(100) * frame, &screen(&lines));
    }
    let svg = film.develop();
    assert!(svg.len() <= MOST_BYTES, "{}", svg.len());
    assert!(svg.contains(&format!(">{}</text>", (frames - 1) * 31)), "the last frame is in it");
}

#[test]
fn a_film_has_bounds_however_long_it_goes_on() {
    check_bounds(4_200, 1);
    check_bounds(600, 6);
}

#[test]
fn what_no_frame_shows_any_more_is_forgotten() {
    let mut film = Film::new("busy", &DARK);
    let last = u32::try_from(MOST_LOOKS).unwrap() + 1_000;
    for frame in 0..=last {
        film.take(Duration::from_micros(1) * frame, &screen(&[&format!("n{frame}")]));
    }
    assert!(film.looks.len() < 2_000, "{}", film.looks.len());
    let svg = film.develop();
    assert!(svg.contains(">n0</text>") && svg.contains(&format!(">n{last}</text>")), "{svg}");
}
