use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn prompt(user: &str) -> Prompt {
    Prompt::of(user)
}

#[track_caller]
fn check(file: impl AsRef<[u8]>, expected: Result<Vec<Prompt>, &str>) {
    match (read("p.txt", file.as_ref()), expected) {
        (Ok(got), Ok(expected)) => assert_eq!(got, expected),
        (Err(got), Err(expected)) => assert_eq!(with_source(&got), expected),
        (got, _) => panic!("{got:?}"),
    }
}

fn with_source(error: &WorkloadError) -> String {
    std::error::Error::source(error).map_or(error.to_string(), |source| format!("{error}: {source}"))
}

#[test]
fn each_line_of_a_plain_file_is_a_prompt() {
    check("first\nsecond\n", Ok(vec![prompt("first"), prompt("second")]));
    check("\u{FEFF}first\r\n\r\n  second  ", Ok(vec![prompt("first"), prompt("second")]));
    check("write {\n{ is a brace\n", Ok(vec![prompt("write {"), prompt("{ is a brace")]));
}

#[test]
fn each_line_of_a_jsonl_file_is_an_object() {
    check(
        "\n{\"prompt\":\"a\\nb\"}\n{\"prompt\":\"c\",\"system\":\"s\",\"max_tokens\":9}\n",
        Ok(vec![prompt("a\nb"), Prompt { system: Some("s".to_owned()), max_tokens: Some(9), ..prompt("c") }]),
    );
    check("{\"prompt\":\"a\",\"system\":\" \",\"max_tokens\":null}", Ok(vec![prompt("a")]));
}

#[test]
fn what_is_no_prompt_is_named_by_its_line() {
    check(" \n\n", Err("`p.txt` holds no prompt"));
    check("", Err("`p.txt` holds no prompt"));
    check(
        "{\"prompt\":\"a\"}\nplain",
        Err("line 2 of `p.txt` is not a prompt object: expected value at line 1 column 1"),
    );
    check(
        "{\"prompt\":\"a\",\"max_token\":5}",
        Err("line 1 of `p.txt` is not a prompt object: unknown field `max_token`, \
             expected one of `prompt`, `system`, `max_tokens` at line 1 column 25"),
    );
    check(
        "{\"text\":\"a\"}",
        Err("line 1 of `p.txt` is not a prompt object: unknown field `text`, \
             expected one of `prompt`, `system`, `max_tokens` at line 1 column 7"),
    );
    check("{\"prompt\":\"a\"}\n{\"prompt\":\" \"}", Err("line 2 of `p.txt` has an empty prompt"));
    check("{\"prompt\":\"a\",\"max_tokens\":0}", Err("line 1 of `p.txt` has a `max_tokens` of zero"));
    check(b"good\nbad \xFF\n", Err("cannot read line 2 of `p.txt`: invalid utf-8 sequence of 1 bytes from index 4"));
}

#[test]
fn a_line_may_be_a_mebibyte_and_no_longer() {
    let full = "x".repeat(usize::try_from(MAX_LINE_BYTES).unwrap());
    check(&full, Ok(vec![prompt(&full)]));
    check(format!("a\n{full}y\n"), Err("line 2 of `p.txt` is longer than 1024 KiB"));
}

#[test]
fn a_file_may_be_64_mebibytes_and_no_larger() {
    let line = format!("{}\n", "x".repeat(usize::try_from(MAX_LINE_BYTES).unwrap() - 1));
    let lines = usize::try_from(MAX_FILE_BYTES / MAX_LINE_BYTES).unwrap();
    assert_eq!(read("p.txt", Cursor::new(line.repeat(lines))).unwrap().len(), lines);
    check(line.repeat(lines) + "y", Err("`p.txt` is larger than 64 MiB"));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        if let Ok(prompts) = read("p", bytes.as_slice()) {
            prop_assert!(!prompts.is_empty() && prompts.iter().all(|p| !p.user.trim().is_empty()));
        }
    }

    #[test]
    fn what_was_written_as_jsonl_is_read_back(texts in prop::collection::vec("\\PC*[a-z]\\PC*", 1..20)) {
        let file: String = texts.iter().map(|t| serde_json::json!({ "prompt": t }).to_string() + "\n").collect();
        let read: Vec<String> = read("p", file.as_bytes()).unwrap().into_iter().map(|p| p.user).collect();
        prop_assert_eq!(read, texts);
    }
}
