use proptest::prelude::*;

use super::super::PageError;
use super::{Series, series};

/// The series of a page: name, the label `a`, value.
fn read(page: &str) -> Result<Vec<(String, Option<String>, f64)>, PageError> {
    let plain = |s: Series<'_>| (s.name.to_owned(), s.labels.get("a").map(Into::into), s.value);
    series(page).map(|s| s.map(plain)).collect()
}

#[track_caller]
fn check(line: &str, name: &str, label: Option<&str>, value: f64) {
    let read = read(line).unwrap();
    let [(got_name, got_label, got_value)] = read.as_slice() else { panic!("{line}: {read:?}") };
    assert_eq!((got_name.as_str(), got_label.as_deref()), (name, label), "{line}");
    assert_eq!(got_value.to_bits(), value.to_bits(), "{line}: {got_value}");
}

#[test]
fn a_series_is_a_name_with_labels_and_a_value() {
    check("x 1", "x", None, 1.0);
    check("vllm:up_total 1e+09", "vllm:up_total", None, 1e9);
    check("x{} 2", "x", None, 2.0);
    check(r#"x{a="1"} 3"#, "x", Some("1"), 3.0);
    check(r#"x{b="}",a="2",} 3.5"#, "x", Some("2"), 3.5);
    check("\t x { b = \"1\" , a = \"2\" } \t -4 ", "x", Some("2"), -4.0);
    check(r#"{"quoted name", "a"="7"} 1"#, "", Some("7"), 1.0);
    check("x NaN", "x", None, f64::NAN);
    check("x +Inf", "x", None, f64::INFINITY);
    check("x -Inf", "x", None, f64::NEG_INFINITY);
}

#[test]
fn escapes_in_labels_are_undone() {
    check(r#"x{a="a\\b\"c\nd"} 1"#, "x", Some("a\\b\"c\nd"), 1.0);
    check(r#"x{a="\q\\"} 1"#, "x", Some("\\q\\"), 1.0);
    check(r#"x{a="größe \\\""} 1"#, "x", Some("größe \\\""), 1.0);
}

#[test]
fn timestamps_and_exemplars_are_passed_over() {
    check("x 1 1395066363000", "x", None, 1.0);
    check("x 1 1520879607.789", "x", None, 1.0);
    check(r#"x_bucket{a="0.5"} 8 # {trace_id="KOO5S4vxi0o"} 0.67"#, "x_bucket", Some("0.5"), 8.0);
    check(r#"x 8 1.5 # {trace_id="1"} 0.67 1520879607.789"#, "x", None, 8.0);
}

#[test]
fn comments_and_blank_lines_are_no_series_and_eof_ends_a_page() {
    let page = "\n# HELP x Of { \"all\" kinds\n# TYPE x counter\r\n\n  # UNIT x s\nx 1\r\n# EOF\nnot read } at all\n";
    assert_eq!(read(page).unwrap(), [("x".to_owned(), None, 1.0)]);
}

#[track_caller]
fn check_wrong(page: &str, expected: &str) {
    assert_eq!(read(page).unwrap_err().to_string(), expected);
}

#[test]
fn a_wrong_line_says_where_and_what_should_stand_there() {
    check_wrong("x 1\nx one", "line 2 of the metrics page is not understood: a value expected at `one`");
    check_wrong("x", "line 1 of the metrics page is not understood: a value expected at ``");
    check_wrong("1x 1", "line 1 of the metrics page is not understood: a name expected at `1x 1`");
    check_wrong("x{a=1} 1", "line 1 of the metrics page is not understood: a quoted value expected at `1} 1`");
    check_wrong("x{a=\"1} 1", "line 1 of the metrics page is not understood: a closing quote expected at `\"1} 1`");
    check_wrong("x{a=\"1\"", "line 1 of the metrics page is not understood: a closing brace expected at ``");
    check_wrong(
        "x{a=\"1\" b=\"2\"} 1",
        "line 1 of the metrics page is not understood: a comma or a closing brace expected at `b=\"2\"} 1`",
    );
    check_wrong("x 1 2 3", "line 1 of the metrics page is not understood: the end of the line expected at `3`");
    check_wrong("x 1 soon", "line 1 of the metrics page is not understood: a timestamp expected at `soon`");
    check_wrong("\u{1b}[2J", "line 1 of the metrics page is not understood: a name expected at `\u{fffd}[2J`");
}

#[test]
fn names_labels_and_their_values_are_bounded() {
    check_wrong(&format!("{} 1", "x".repeat(513)), "the metrics page has more than 512 bytes in a name");
    let long = format!("x{{a=\"{}\"}} 1", "x".repeat(16_385));
    check_wrong(&long, "the metrics page has more than 16384 bytes in a label");
    let many = format!("x{{{}}} 1", "a=\"1\",".repeat(129));
    check_wrong(&many, "the metrics page has more than 128 labels in a series");
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

proptest! {
    #[test]
    fn whatever_is_written_is_read(value in any::<f64>(), label in "[^\r]{0,40}", other in "[^\r]{0,40}", time in any::<Option<i64>>()) {
        let time = time.map_or(String::new(), |t| format!(" {t}"));
        let line = format!("name{{b=\"{}\",a=\"{}\"}} {value}{time}", escaped(&other), escaped(&label));
        let read = read(&line).unwrap();
        prop_assert_eq!(read.len(), 1);
        prop_assert_eq!(read[0].1.as_deref(), Some(label.as_str()));
        prop_assert!(read[0].2.to_bits() == value.to_bits() || value.is_nan());
    }

    #[test]
    fn no_page_makes_it_panic(page in "[ -~\n\u{e9}]{0,200}") {
        drop(super::super::server_sample(&page));
    }

    #[test]
    fn nothing_like_a_page_makes_it_panic(page in "(vllm:[a-z_]{1,12}|DCGM_FI_DEV_GPU_UTIL|[{}\", =\\\\0-9.e]|\n|le|gpu){0,60}") {
        drop(super::super::server_sample(&page));
    }
}
