//! The quick way of writing and reading lines beside `serde_json`.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use schema::record::{Partial, Record};
use schema::units::Moment;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::round_trip::any_record;
use super::sample::{failed, name, partial, record, sample};
use crate::quick::{decode, encode};
use crate::redact::Layout;

/// Whatever JSON is made of, and what it cannot hold.
const BYTES: &[u8] = b"\"\\{}[],:0123456789-+.eEtfnu \n\t\0a\x7f\xc3\xa9\xff";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Unit,
    #[serde(rename = "new/type")]
    Newtype(Option<bool>),
    Tuple(u8, u8),
    Struct {
        text: String,
        empty: Vec<u8>,
    },
    Bare {},
}

/// Whether `value` can be written quickly; then it is written as `serde_json` writes it.
#[track_caller]
fn is_written(value: &impl Serialize) -> bool {
    let mut line = b"[".to_vec();
    let usual = encode(&mut line, value).is_ok();
    if usual {
        assert_eq!(String::from_utf8_lossy(&line[1..]), serde_json::to_string(value).unwrap());
    }
    usual
}

/// Whether `line` can be read quickly; then it is read as `serde_json` reads it.
#[track_caller]
fn is_read<T: DeserializeOwned + PartialEq + Debug>(line: &[u8]) -> bool {
    let read = decode::<T>(line);
    if let Ok(value) = &read {
        let expected = serde_json::from_slice::<T>(line);
        assert_eq!(Some(value), expected.as_ref().ok(), "{}: {expected:?}", String::from_utf8_lossy(line));
    }
    read.is_ok()
}

#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, written: bool, read: bool) {
    assert_eq!(is_written(value), written, "{value:?}");
    assert_eq!(is_read::<T>(&serde_json::to_vec(value).unwrap()), read, "{value:?}");
}

fn without_text(index: u64) -> Record {
    Record { output: None, ..record("groq", index) }
}

#[test]
fn what_requests_leave_is_usual() {
    for usual in [without_text(0), failed("groq", 1, "no such key"), Record::not_sent(name("groq"), 2, Moment(5))] {
        check(&usual, true, true);
    }
    check(&partial("groq", 0, 0), true, true);
    // A line feed and quotes stand in its text.
    check(&record("groq", 3), true, false);
}

#[test]
fn of_what_turns_out_to_be_unusual_nothing_is_left_in_the_line() {
    let line = Layout::Line.encode(&vec![(1, 0.5)]).unwrap();
    assert_eq!(String::from_utf8(line).unwrap(), "[[1,0.5]]\n");
    let line = Layout::Line.encode(&sample(5)).unwrap();
    assert_eq!(String::from_utf8(line).unwrap(), serde_json::to_string(&sample(5)).unwrap() + "\n");
}

#[test]
fn values_of_all_kinds_are_as_serde_json_has_them_or_left_to_it() {
    check(&Kind::Unit, true, true);
    check(&Kind::Newtype(Some(true)), true, true);
    check(&Kind::Newtype(None), true, false);
    check(&Kind::Tuple(1, 2), false, false);
    check(&Kind::Struct { text: "one, two".into(), empty: vec![] }, true, true);
    check(&Kind::Bare {}, true, true);
    check(&vec![vec![u64::MAX, 0], vec![]], true, false);
    check(&vec![1_u8, 255], true, true);
    check(&[i64::MIN, -1, i64::MAX].to_vec(), true, false);
    check(&1.5, false, false);
    check(&'a', false, false);
    check(&(), false, false);
    check(&(1, 2), false, false);
    check(&BTreeMap::from([("a".to_owned(), 1_u8)]), false, false);
}

#[test]
fn what_is_unusual_in_a_line_is_left_to_serde_json() {
    for number in
        ["18446744073709551615", "99999999999999999999", "01", "-1", "1.0", "1e3", "1 ", " 1", "", "1,", "[1]"]
    {
        assert!(!is_read::<u64>(number.as_bytes()), "{number}");
    }
    for number in ["0", "10", "9999999999999999999"] {
        assert!(is_read::<u64>(number.as_bytes()), "{number}");
    }
    assert!(!is_read::<u8>(b"256"));
    for list in ["[1,]", "[,1]", "[1 ,2]", "[1,2", "[1]]", "[1}", "[", "{}", "null"] {
        assert!(!is_read::<Vec<u8>>(list.as_bytes()), "{list}");
    }
    for text in [
        &br#""\u0041""#[..],
        b"\"\x07\"",
        b"\"\xff\"",
        b"\"\xed\xa0\x80\"",
        b"\"a",
        b"a\"",
        b"\"a\"\"",
        b"\xef\xbb\xbf\"a\"",
    ] {
        assert!(!is_read::<String>(text), "{text:?}");
    }
    assert!(is_read::<String>("\"a\u{2028}\u{7f}é\"".as_bytes()));
    let deep = format!(r#""index":{}"#, "[".repeat(100_000));
    let line = String::from_utf8(serde_json::to_vec(&without_text(7)).unwrap()).unwrap();
    for (from, to) in [
        (r#""index":7"#, r#""index":7,"index":7"#),
        (r#""index":7"#, r#""Index":7"#),
        (r#""index":7"#, r#""index":7,"weather":{"sunny":[true,null]}"#),
        (r#""index":7"#, r#""index":7,"step":null"#),
        (r#""index":7"#, deep.as_str()),
        (r#""phase":"measured""#, r#""phase":"paused""#),
        (r#""phase":"measured""#, r#""phase":{"measured":null}"#),
        (r#""target":"groq""#, r#""target":"../groq""#),
        (r#""kinds":"ort""#, r#""kinds":"or""#),
        (r#"{"complete":{"finish":"length"}}"#, r#""complete""#),
        (r#"{"complete":{"finish":"length"}}"#, r#"{"complete":{"finish":"length"},"failed":1}"#),
        ("{", "{ "),
    ] {
        let changed = line.replacen(from, to, 1);
        assert_ne!(changed, line, "{from}");
        assert!(!is_read::<Record>(changed.as_bytes()), "{to}");
    }
}

proptest! {
    #[test]
    fn any_record_is_written_as_serde_json_writes_it_and_read_as_it_reads(record in any_record()) {
        prop_assert!(is_written(&record));
        is_read::<Record>(&serde_json::to_vec(&record).unwrap());
    }

    #[test]
    fn any_text_and_number_is_written_as_serde_json_writes_it(
        text in any::<String>(),
        wild in vec(select(vec!['"', '\\', '/', '\0', '\n', '\x1f', '\x7f', '\u{2028}', 'é', 'a']), 0..40),
        number in any::<u64>(),
        signed in any::<i64>(),
    ) {
        prop_assert!(is_written(&text));
        prop_assert!(is_written(&String::from_iter(wild)));
        prop_assert!(is_written(&number));
        prop_assert!(is_written(&signed));
    }

    #[test]
    fn a_damaged_line_is_read_as_serde_json_reads_it_or_left_to_it(
        index in any::<u64>(),
        damage in vec((any::<Index>(), 0..3_u8, select(BYTES)), 1..4),
    ) {
        let mut line = serde_json::to_vec(&Record { index, ..without_text(0) }).unwrap();
        let mut part = serde_json::to_vec(&Partial { index, ..partial("groq", 0, 0) }).unwrap();
        for (at, how, byte) in damage {
            for line in [&mut line, &mut part] {
                let at = at.index(line.len());
                match how {
                    0 => line[at] = byte,
                    1 => line.insert(at, byte),
                    _ => drop(line.remove(at)),
                }
            }
        }
        is_read::<Record>(&line);
        is_read::<Partial>(&part);
    }

    #[test]
    fn bytes_of_any_kind_are_read_as_serde_json_reads_them_or_left_to_it(bytes in vec(select(BYTES), 0..12)) {
        is_read::<u64>(&bytes);
        is_read::<Vec<u32>>(&bytes);
        is_read::<String>(&bytes);
        is_read::<Option<bool>>(&bytes);
        is_read::<Kind>(&bytes);
    }
}
