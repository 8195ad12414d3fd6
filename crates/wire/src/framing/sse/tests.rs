use super::*;

/// The events of `stream`, fed at once: `data`, with `!` before it if named an error.
fn events(stream: &str) -> Vec<String> {
    let mut sse = Sse::default();
    let mut found = Vec::new();
    let mut rest = stream.as_bytes();
    loop {
        let (taken, step) = sse.step(rest, 1_000).unwrap();
        rest = &rest[taken..];
        match step {
            Step::Event(event) => found.push(show(event)),
            Step::Nothing => {}
            Step::NeedMore => break,
        }
    }
    if let Step::Event(event) = sse.last() {
        found.push(show(event));
    }
    found
}

fn show(event: Event<'_>) -> String {
    format!("{}{}", if event.error { "!" } else { "" }, std::str::from_utf8(event.data).unwrap())
}

#[track_caller]
fn check(stream: &str, expected: &[&str]) {
    assert_eq!(events(stream), expected, "{stream:?}");
}

#[test]
fn every_line_end_ends_a_line() {
    check("data: a\n\ndata: b\n\n", &["a", "b"]);
    check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
    check("data: a\r\rdata: b\r\r", &["a", "b"]);
    check("data: a\r\n\ndata: b\n\r\ndata: c\r\n\r", &["a", "b", "c"]);
}

#[test]
fn one_space_after_the_colon_is_not_data() {
    check("data:a\n\ndata: b\n\ndata:  c\n\n", &["a", "b", " c"]);
}

#[test]
fn lines_of_data_are_joined() {
    check("data: {\"a\":\ndata: 1}\n\n", &["{\"a\":\n1}"]);
    check("data:\ndata: x\ndata:\n\n", &["\nx\n"]);
    check("data: a\r\ndata: b\r\ndata: c\r\n\r\n", &["a\nb\nc"]);
}

#[test]
fn comments_blank_lines_and_other_fields_are_no_events() {
    check(": keep-alive\n\n:\n\n\n\n\r\n", &[]);
    check(": OPENROUTER PROCESSING\n\ndata: a\n\n", &["a"]);
    check("id: 7\nretry: 100\nevent: message\n:x\ndata: a\nwhatever\n\n", &["a"]);
    check("data\n\ndata:\n\ndata: \ndata:\n\n", &[]);
    check("database: x\n\n", &[]);
}

#[test]
fn a_byte_order_mark_counts_only_at_the_start() {
    check("\u{FEFF}data: a\n\n\u{FEFF}data: b\n\n", &["a"]);
    check("data: a\n\n\u{FEFF}data: b\n\n", &["a"]);
}

#[test]
fn an_event_named_error_is_one() {
    check("event: error\ndata: x\n\ndata: y\n\n", &["!x", "y"]);
    check("data: x\nevent:error\n\n", &["!x"]);
    check("error: {\"code\":500}\n\n", &["!{\"code\":500}"]);
    check("event: errors\ndata: x\n\n", &["x"]);
}

#[test]
fn the_last_event_may_lack_its_blank_line() {
    check("data: a\n\ndata: b", &["a", "b"]);
    check("data: a\n", &["a"]);
    check("data: a\r", &["a"]);
    check(": comment", &[]);
}

#[test]
fn bytes_count_from_blank_line_to_blank_line() {
    let mut sse = Sse::default();
    let stream = b"event: x\r\ndata: a\r\n\r\ndata: b\n\n";
    let (taken, step) = sse.step(stream, 1_000).unwrap();
    let Step::Event(first) = step else { panic!("an event") };
    // The blank line's LF comes after the event has been handed out, and counts for none.
    assert_eq!((taken, first.bytes), (20, 20));
    let (taken, step) = sse.step(&stream[20..], 1_000).unwrap();
    assert!(matches!((taken, step), (1, Step::Nothing)));
    let (_, step) = sse.step(&stream[21..], 1_000).unwrap();
    let Step::Event(second) = step else { panic!("an event") };
    assert_eq!(second.bytes, 9);
}

#[test]
fn an_event_in_one_piece_is_not_copied() {
    let mut sse = Sse::default();
    let stream = b"data: whole\n\n";
    let (_, step) = sse.step(stream, 1_000).unwrap();
    let Step::Event(event) = step else { panic!("an event") };
    assert!(stream.as_ptr_range().contains(&event.data.as_ptr()));
    assert_eq!(sse.carry.bytes.capacity() + sse.joined.capacity(), 0);
}

#[test]
fn nothing_over_the_limit_is_kept() {
    let mut sse = Sse::default();
    assert!(matches!(sse.step(b"data: 1234", 12), Ok((10, Step::NeedMore))));
    assert_eq!(sse.step(b"567", 12).unwrap_err(), TooLarge);
    assert_eq!(sse.carry.bytes, b"data: 1234");
    assert_eq!(Sse::default().step(b"data: 1234567\n\n", 12).unwrap_err(), TooLarge);
    assert!(matches!(Sse::default().step(b"data: 1234\n\n", 12), Ok((12, Step::Event(_)))));
}
