use super::*;

#[track_caller]
fn check(stream: &str, expected: &[&str]) {
    let mut ndjson = Ndjson::default();
    let mut found = Vec::new();
    let mut rest = stream.as_bytes();
    loop {
        let (taken, step) = ndjson.step(rest, 1_000).unwrap();
        rest = &rest[taken..];
        match step {
            Step::Event(event) => found.push(event.data.to_vec()),
            Step::Nothing => {}
            Step::NeedMore => break,
        }
    }
    if let Step::Event(event) = ndjson.last() {
        found.push(event.data.to_vec());
    }
    assert_eq!(found, expected.iter().map(|line| line.as_bytes()).collect::<Vec<_>>(), "{stream:?}");
}

#[test]
fn a_line_is_an_event_and_a_blank_one_none() {
    check("{}\n{\"a\":1}\r\n\n \r\n[]\n", &["{}", "{\"a\":1}", "[]"]);
}

#[test]
fn the_last_line_may_lack_its_end() {
    check("{}\n{\"a\":1}", &["{}", "{\"a\":1}"]);
    check("", &[]);
}

#[test]
fn nothing_over_the_limit_is_kept() {
    let mut ndjson = Ndjson::default();
    assert!(matches!(ndjson.step(b"12345678", 9), Ok((8, Step::NeedMore))));
    assert_eq!(ndjson.step(b"9\n", 9).unwrap_err(), TooLarge);
    assert_eq!(ndjson.carry.bytes, b"12345678");
}
