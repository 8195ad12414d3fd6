use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use ratatui::buffer::{Buffer, CellWidth as _};
use ratatui::layout::Rect;
use ratatui::style::Style;
use schema::text::Untrusted;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Flow, fit, line, width, wrap};

fn untrusted(text: &str) -> Untrusted {
    Untrusted::bounded(text, usize::MAX)
}

#[track_caller]
fn check_wrap(text: &str, columns: usize, expected: &[&str]) {
    assert_eq!(wrap(&untrusted(text), columns), expected, "{text:?} at {columns}");
}

#[test]
fn lines_break_between_words_where_that_can_be() {
    check_wrap("to be or not", 8, &["to be or", "not"]);
    check_wrap("to be or not", 7, &["to be", "or not"]);
    check_wrap("abc  d", 5, &["abc", "d"]);
    check_wrap("abc     d", 4, &["abc ", "d"]);
    check_wrap("one\ntwo\n\nthree\n", 10, &["one", "two", "", "three", ""]);
    check_wrap("  indented", 10, &["  indented"]);
    check_wrap("", 10, &[""]);
}

#[test]
fn words_wider_than_a_line_are_broken_anywhere() {
    check_wrap("abcdefghij", 4, &["abcd", "efgh", "ij"]);
    check_wrap("x abcdefgh", 4, &["x", "abcd", "efgh"]);
    check_wrap("    abcdefgh", 8, &["    abcd", "efgh"]);
}

#[test]
fn wide_letters_are_never_halved_and_break_anywhere() {
    check_wrap("日本語です", 5, &["日本", "語で", "す"]);
    check_wrap("ab日本", 4, &["ab日", "本"]);
    check_wrap("日本語", 3, &[]);
}

#[track_caller]
fn check_line(text: &str, expected: &str, columns: usize) {
    let line = line(&untrusted(text));
    assert_eq!(line, expected, "{text:?}");
    assert_eq!(width(&line), columns, "{text:?} is shown as {line:?}");
}

#[test]
fn what_steers_a_terminal_is_shown_as_something_that_does_not() {
    check_line("\u{1b}[2Jred", "\u{FFFD}[2Jred", 7);
    check_line("a\u{202e}b\u{2066}c\u{9b}d\u{0}e\u{7f}", "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}e\u{FFFD}", 10);
    check_line("a\tb\r\nc\rd\u{2028}e", "a    b cd e", 11);
}

#[test]
fn what_terminals_disagree_about_is_taken_apart_or_left_out() {
    check_line("👨\u{200d}👩\u{200d}👧", "👨👩👧", 6);
    check_line("❤\u{fe0f}!", "❤!", 2);
    check_line("👍🏽!", "👍!", 3);
    check_line("🇩🇪 🇫🇷", "DE FR", 5);
    check_line("1\u{fe0f}\u{20e3}", "1", 1);
    check_line("in\u{ad}vis\u{200b}ible\u{feff}", "invisible", 9);
    check_line("🏴\u{e0067}\u{e0062}\u{e007f}", "🏴", 2);
}

#[test]
fn accents_stay_with_their_letters_and_do_not_pile_up() {
    check_line("e\u{301}a\u{308}", "e\u{301}a\u{308}", 2);
    check_line("\u{301}x", "\u{FFFD}x", 2);
    let piled = line(&untrusted(&format!("z{}", "\u{301}".repeat(1000))));
    assert_eq!((width(&piled), piled.chars().count()), (1, 9));
}

#[test]
fn scripts_that_terminals_draw_alike_stay_as_they_are() {
    for text in ["Привет", "שלום", "مرحبا", "한국어", "ภาษาไทย", "Ελληνικά", "हिन्दी", "ខ្មែរ", "Tiếng Việt", "→ ✓ ½ €"]
    {
        assert_eq!(line(&untrusted(text)).replace(' ', ""), text.replace(' ', ""));
    }
}

#[track_caller]
fn check_fit(text: &str, columns: usize, expected: &str) {
    assert_eq!(fit(&untrusted(text), columns), expected, "{text:?} at {columns}");
}

#[test]
fn what_does_not_fit_ends_in_an_ellipsis() {
    check_fit("short", 5, "short");
    check_fit("longer", 5, "long…");
    check_fit("日本語", 5, "日本…");
    check_fit("日本語", 4, "日…");
    check_fit("x", 0, "");
    check_fit("xy", 1, "…");
    check_fit("a\nb", 3, "a b");
}

/// Text that terminals have trouble with, of up to so many parts.
fn hostile(parts: usize) -> impl Strategy<Value = Vec<String>> {
    let nasty = select(vec![
        "\u{1b}[31m",
        "\u{1b}]0;title\u{7}",
        "\u{9b}2J",
        "\r",
        "\n",
        "\r\n",
        "\t",
        "\u{0}",
        "\u{8}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{200d}",
        "\u{200c}",
        "\u{feff}",
        "\u{ad}",
        "\u{fe0f}",
        "\u{20e3}",
        "\u{301}",
        "\u{489}",
        "\u{e0041}",
        "👨",
        "👩\u{200d}🚀",
        "👍🏿",
        "🇩",
        "🇪",
        "❤",
        "☺\u{fe0f}",
        "日本",
        "한",
        "\u{1100}",
        "\u{1161}",
        "\u{11a8}",
        "ﾊﾞ",
        "ﾞ",
        "क",
        "\u{94d}",
        "ष",
        "का",
        "ក្ម",
        "\u{17d2}",
        "លា",
        "ل",
        "ا",
        "שָׁ",
        "\u{600}",
        "\u{d4e}",
        "ำ",
        "⸻",
        "⸺",
        "﷽",
        "…",
        " ",
        "  ",
        "word",
        "a-very-long-word-without-any-space-at-all",
        "\u{2028}",
        "\u{3000}",
        "\u{a0}",
        "\u{fffe}",
        "\u{10ffff}",
        "\u{a4f8}",
        "\u{a4fd}",
        "\u{1a15}",
        "\u{1a17}",
        "\u{1a10}",
        "\u{2d31}",
        "\u{2d7f}",
        "\u{5d0}",
        "\u{5dc}",
        "\u{10c32}",
        "\u{10c03}",
        "\u{16d68}",
        "\u{16d67}",
        "\u{1f3fb}",
        "\u{1f468}\u{1f3ff}",
        "\u{644}",
        "\u{622}",
    ]);
    let part =
        prop_oneof![6 => nasty.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from), 1 => "[a-z ]{1,9}"];
    vec(part, 0..parts)
}

/// Columns that a terminal moves on by which knows nothing of clusters.
fn singly(text: &str) -> usize {
    text.chars().filter_map(unicode_width::UnicodeWidthChar::width).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_line_has_exactly_the_width_claimed_and_is_safe(parts in hostile(60), columns in 4usize..40) {
        let text = untrusted(&parts.concat());
        for line in wrap(&text, columns) {
            let claimed = width(&line);
            prop_assert!(claimed <= columns, "{line:?} has {claimed} columns, not {columns}");
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            let reorders = line.contains(|it| matches!(it, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'));
            prop_assert!(!reorders, "{line:?}");
            // As cells: what ratatui places is what was claimed, and what stands beside it stays.
            let mut buffer = Buffer::empty(Rect::new(0, 0, 41, 1));
            let (end, _) = buffer.set_stringn(0, 0, &line, columns, Style::new());
            prop_assert_eq!(usize::from(end), claimed, "{:?}", line);
            // A terminal that knows nothing of clusters, told where each begins, never writes beyond the line.
            let mut at = 0;
            for cluster in line.graphemes(true) {
                prop_assert!(at + singly(cluster) <= claimed, "{cluster:?} of {line:?}");
                at += usize::from(cluster.cell_width());
            }
        }
    }

    #[test]
    fn however_text_is_cut_into_pieces_its_lines_are_the_same(
        parts in hostile(40), cuts in vec(0usize..4, 1..80), columns in 4usize..30, other in 4usize..30,
    ) {
        let text = parts.concat();
        let mut flow = Flow::default();
        let mut rest = text.as_str();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let end = rest.char_indices().nth(*cut).map_or(rest.len(), |(end, _)| end);
            flow.push(&untrusted(&rest[..end]));
            flow.count(columns);
            rest = &rest[end..];
            if cuts.iter().all(|cut| *cut == 0) {
                flow.push(&untrusted(rest));
                break;
            }
        }
        let whole = wrap(&untrusted(&text), columns);
        prop_assert_eq!(flow.last(usize::MAX, columns).collect::<Vec<_>>(), whole.iter().collect::<Vec<_>>());
        let whole = wrap(&untrusted(&text), other);
        prop_assert_eq!(flow.last(usize::MAX, other).collect::<Vec<_>>(), whole.iter().collect::<Vec<_>>());
        prop_assert_eq!(flow.last(2, other).collect::<Vec<_>>(), whole[whole.len().saturating_sub(2)..].iter().collect::<Vec<_>>());
    }

    #[test]
    fn what_fits_is_no_wider_than_asked(parts in hostile(30), columns in 0usize..30) {
        let fitting = fit(&untrusted(&parts.concat()), columns);
        prop_assert!(width(&fitting) <= columns);
        prop_assert_eq!(fitting.graphemes(true).map(|it| usize::from(it.cell_width())).sum::<usize>(), width(&fitting));
    }
}

#[test]
fn endless_clusters_are_bounded() {
    let mut flow = Flow::default();
    flow.push(&untrusted("e"));
    for _ in 0..100_000 {
        flow.push(&untrusted("\u{301}"));
        assert_eq!(flow.last(1, 10).count(), 1);
    }
    assert!(flow.last(usize::MAX, 10).all(|line| width(line) <= 10));
}

#[test]
fn a_piece_costs_what_it_is_long_whatever_came_before() {
    // Half a million tokens, each drawn: if all were broken anew for each, this would not end today.
    let mut flow = Flow::default();
    let token = untrusted("token ");
    for _ in 0..500_000 {
        flow.push(&token);
        assert!(flow.last(30, 79).count() <= 30);
    }
    assert_eq!(flow.count(79), 500_000_usize.div_ceil(13));
    assert_eq!(flow.count(12), 250_000);
}
