use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::*;

/// Builds a tree with the reader, to compare with `serde_json`'s.
fn tree(json: &mut Json<'_>) -> Value {
    match json.peek() {
        b'{' => {
            let mut object = Map::new();
            json.object(|json, key| {
                let key = key.to_owned();
                object.insert(key, tree(json));
            });
            Value::Object(object)
        }
        b'[' => {
            let mut array = Vec::new();
            json.array(|json| array.push(tree(json)));
            Value::Array(array)
        }
        b'"' => json.string().map_or(Value::Null, |text| Value::String(text.into_owned())),
        b'n' => {
            json.skip();
            Value::Null
        }
        b't' | b'f' => Value::Bool(json.is_true()),
        _ => json.number().map_or(Value::Null, Value::from),
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no other numbers", |n| n.is_finite()).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[\"\\\\\u{0}-\u{1f}a/😀é]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let key = prop_oneof![".{0,20}", "[\"\\\\\u{0}-\u{1f}a/😀é]{0,20}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(key, inner, 0..6).prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

/// Whether both readers think alike about `text`, and ours the same whether its values are passed over or taken.
#[track_caller]
fn agree(text: &str) {
    let ours = document(text, Json::skip);
    let theirs = serde_json::from_str::<IgnoredAny>(text);
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{text:?}: {ours:?}, {theirs:?}");
    assert_eq!(document(text, tree).map(drop), ours, "{text:?}");
}

proptest! {
    #[test]
    fn trees_are_those_of_serde_json(value in values()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(&document(&text, tree).unwrap(), &value, "{}", text);
        }
    }

    #[test]
    fn damaged_texts_are_refused_when_serde_json_refuses_them(
        value in values(), at in any::<prop::sample::Index>(), damage in "[\\[\\]{}\",:\\\\0-9eE.+ntu/é \n\u{0}\u{1}\u{7f}-]?",
    ) {
        let text = value.to_string();
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        let damaged: String = chars[..at].iter().copied().chain(damage.chars()).chain(chars[at + 1..].iter().copied()).collect();
        agree(&damaged);
    }

    #[test]
    fn a_text_that_breaks_off_is_refused_wherever_it_does(value in values()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        for (end, _) in text.char_indices() {
            agree(&text[..end]);
        }
    }

    #[test]
    fn any_text_is_judged_as_serde_json_judges_it(text in "[\\[\\]{}\",:\\\\0-9eE.+ntrufalse \n-]{0,12}") {
        agree(&text);
    }
}

#[test]
fn numbers_and_escapes_are_judged_as_serde_json_judges_them() {
    for text in [
        "0",
        "-0",
        "00",
        "01",
        "-",
        "1.",
        ".5",
        "1.5",
        "1e",
        "1e+",
        "1e+5",
        "1E-5",
        "-1.25e3",
        "1e999",
        "+1",
        "0x1",
        "NaN",
        "null",
        "nul",
        "truefalse",
        "true false",
        "",
        " ",
        "\u{0}",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\x\"",
        "\"\\",
        "\"a\nb\"",
        "\"\u{7f}\"",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "[",
        "{",
        "\"",
        "[1 2]",
        "\u{FEFF}1",
        " null",
        "[ null , nul ]",
        "{ \"a\" : null ,\n\t\"b\" : [ 1 , null ] }",
        "{\"a\\u0041\":null,\"b\" :null}",
        "{\"a\":nullnull}",
        "123456789",
        "1234567890",
        "0123456789",
        "12345678901234567890",
        "123456789.5e-3",
        "-01",
        "--1",
        "{\"a\":01}",
        "\"\\ud83d\"",
        "\"\\ude00\\ud83d\"",
        "{\"\\ud83d\":1}",
        "[[[\"\\",
        "{\"a\":{\"b\":[{\"c",
    ] {
        agree(text);
    }
}

#[test]
fn what_ends_plain_text_is_found_wherever_it_stands() {
    let is_plain = |byte: &u8| !matches!(byte, 0..0x20 | b'"' | b'\\');
    // Bytes next to those looked for, and those with their high bit.
    for filler in *b" !#[]\x7f\x80\xa2\xdc\xff" {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                let mut bytes = [filler; 20];
                bytes[place] = byte;
                for from in 0..=bytes.len() {
                    let expected = from + bytes[from..].iter().take_while(|byte| is_plain(byte)).count();
                    assert_eq!(plain_until(&bytes, from), expected, "{bytes:?} from {from}");
                }
            }
        }
    }
}

#[test]
fn a_number_is_what_rust_takes_it_for() {
    for text in ["0", "-0", "7", "999999999", "1000000000", "12345678901234567890", "1e5", "-1.25e3", "4e-400", "0.1"] {
        let expected: f64 = text.parse().unwrap();
        let read = document(text, Json::number).unwrap().unwrap();
        assert_eq!(read.to_bits(), expected.to_bits(), "{text}");
    }
}

#[track_caller]
fn check_string(text: &str, expected: &str) {
    assert_eq!(document(text, Json::string).unwrap().unwrap(), expected);
}

#[test]
fn strings_lose_their_escapes() {
    check_string(r#""a\"b\\c\/d\b\f\n\r\te""#, "a\"b\\c/d\u{8}\u{c}\n\r\te");
    check_string(r#""\u00e9\u20AC\ud83d\ude00 after""#, "é€😀 after");
}

#[test]
fn a_lone_surrogate_is_replaced_and_swallows_nothing() {
    check_string(r#""a\ud83db""#, "a\u{FFFD}b");
    check_string(r#""\ude00\u0041""#, "\u{FFFD}A");
    check_string(r#""\ud83d\u0041""#, "\u{FFFD}A");
    check_string(r#""\ud83d\n""#, "\u{FFFD}\n");
    check_string(r#""\ud83d""#, "\u{FFFD}");
}

#[test]
fn strings_without_escapes_are_slices_of_the_text() {
    let text = r#"{"plain":"slice"}"#;
    document(text, |json| json.object(|json, _| assert!(matches!(json.string(), Some(Cow::Borrowed("slice"))))))
        .unwrap();
}

#[test]
fn another_kind_of_value_is_passed_over() {
    for text in ["null", "1", "[1,[2]]", r#"{"a":{}}"#, "true"] {
        assert_eq!(document(text, Json::string).unwrap(), None, "{text}");
    }
    for text in ["null", r#""x""#, "[]", "{}"] {
        assert_eq!(document(text, Json::number_or_text).unwrap(), None, "{text}");
        assert!(!document(text, |json| json.object(|json, _| json.skip())).unwrap() || text == "{}");
    }
    assert_eq!(document("1e999", Json::number).unwrap(), None, "beyond a float");
    assert_eq!(document(r#"" 1.5 ""#, Json::number_or_text).unwrap(), Some(1.5));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(document(&nested(127), Json::skip).is_ok());
    let error = document(&nested(128), Json::skip).unwrap_err();
    assert_eq!(error, JsonError::at(127, Wanted::LessNesting));
    assert!(document(&"[".repeat(1_000_000), Json::skip).is_err());
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    for error in [document(text, Json::skip).unwrap_err(), document(text, tree).map(drop).unwrap_err()] {
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

#[test]
fn the_first_error_is_told_with_its_place() {
    check_error(r#"{"a":1 "b"}"#, "expected `,` or `}` at byte 7");
    check_error(r#"{"a":1,}"#, "expected a key at byte 7");
    check_error(r#"{"a" 1}"#, "expected `:` at byte 5");
    check_error(r#"[1,"a"2"#, "expected `,` or `]` at byte 6");
    check_error(r#"{"a":[tru],"b"#, "expected a value at byte 6");
    check_error(r#"{"a":["#, "expected a value at byte 6");
    check_error(r#"{"a":"b"#, "expected the end of a string at byte 7");
    check_error("{\"a\tb\":1}", "expected the end of a string at byte 3");
    check_error(r#"{"a\x":1}"#, "expected an escape at byte 3");
    check_error(r#"["a\u12"]"#, "expected an escape at byte 3");
    check_error("[-]", "expected a digit at byte 2");
    check_error("[1.e5]", "expected a digit at byte 3");
    check_error("[01]", "expected `,` or `]` at byte 2");
    check_error("1 2", "expected the end at byte 2");
    check_error("", "expected a value at byte 0");
}
