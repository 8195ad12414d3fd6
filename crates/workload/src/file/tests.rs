use std::io::Cursor;

use proptest::prelude::*;

use super::*;

const ONE_TURN: Wanted<'_> = Wanted { columns: None, turns: 1, answers: false };
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgo=";

fn prompt(user: &str) -> Prompt {
    Prompt::of(user)
}

fn prompts(found: Found) -> Vec<Prompt> {
    found.drafts.into_iter().map(|draft| draft.prompt).collect()
}

fn with_source(error: &WorkloadError) -> String {
    std::error::Error::source(error).map_or(error.to_string(), |source| format!("{error}: {source}"))
}

#[track_caller]
fn check_wanted(path: &str, file: impl AsRef<[u8]>, wanted: Wanted<'_>, expected: Result<Vec<Prompt>, &str>) {
    match (read(path, file.as_ref(), wanted).map(prompts), expected) {
        (Ok(got), Ok(expected)) => assert_eq!(got, expected),
        (Err(got), Err(expected)) => assert_eq!(with_source(&got), expected),
        (got, _) => panic!("{got:?}"),
    }
}

#[track_caller]
fn check(file: impl AsRef<[u8]>, expected: Result<Vec<Prompt>, &str>) {
    check_wanted("p.txt", file, ONE_TURN, expected);
}

#[test]
fn each_line_of_a_plain_file_is_a_prompt() {
    check("first\nsecond\n", Ok(vec![prompt("first"), prompt("second")]));
    check("\u{FEFF}first\r\n\r\n  second  ", Ok(vec![prompt("first"), prompt("second")]));
    check("write {\n{ is a brace\n", Ok(vec![prompt("write {"), prompt("{ is a brace")]));
    check("[INST] first\n[] second", Ok(vec![prompt("[INST] first"), prompt("[] second")]));
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
fn pictures_are_data_urls_one_or_many() {
    let with = |count| Prompt { images: vec![PICTURE.to_owned(); count], ..prompt("a") };
    check(
        format!(
            "{{\"prompt\":\"a\",\"image\":\"{PICTURE}\"}}\n{{\"prompt\":\"a\",\"images\":[\"{PICTURE}\",\"{PICTURE}\"]}}"
        ),
        Ok(vec![with(1), with(2)]),
    );
    for url in [
        "https://example.com/a.png",
        "data:text/html;base64,AAAA",
        "data:image/png,AAAA",
        "data:image/png;base64,",
        "data:image/png;base64,!",
        "data:image/p<g;base64,AAAA",
        "",
    ] {
        check(
            format!("{{\"prompt\":\"a\",\"image\":\"{url}\"}}"),
            Err("line 1 of `p.txt` holds no picture in `image`"),
        );
    }
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
             expected one of `prompt`, `system`, `max_tokens`, `image`, `images` at line 1 column 25"),
    );
    check(
        "{\"text\":\"a\"}",
        Err("line 1 of `p.txt` is not a prompt object: unknown field `text`, \
             expected one of `prompt`, `system`, `max_tokens`, `image`, `images` at line 1 column 7"),
    );
    check("{\"prompt\":\"a\"}\n{\"prompt\":\" \"}", Err("line 2 of `p.txt` has an empty prompt"));
    check("{\"prompt\":\"a\",\"max_tokens\":0}", Err("line 1 of `p.txt` has a `max_tokens` of zero"));
    check(b"good\nbad \xFF\n", Err("cannot read line 2 of `p.txt`: invalid utf-8 sequence of 1 bytes from index 4"));
    let deep = format!("{{\"prompt\":{}", "[".repeat(200_000));
    assert!(read("p.txt", deep.as_bytes(), ONE_TURN).is_err());
}

fn named(prompt: &str, system: Option<&str>, max_tokens: Option<&str>, image: Option<&str>) -> Columns {
    let owned = |name: Option<&str>| name.map(str::to_owned);
    Columns { prompt: prompt.to_owned(), system: owned(system), max_tokens: owned(max_tokens), image: owned(image) }
}

#[test]
fn named_fields_of_objects_make_prompts_and_the_others_are_ignored() {
    let columns = named("question", Some("role"), Some("length"), Some("photo"));
    let wanted = Wanted { columns: Some(&columns), ..ONE_TURN };
    let lines = format!(
        "{{\"id\":1,\"question\":\"a\",\"role\":\"s\",\"length\":7,\"photo\":[\"{PICTURE}\"]}}\n\
         {{\"question\":\"b\",\"role\":null,\"length\":null,\"photo\":null}}\n"
    );
    let both = || {
        let (system, images) = (Some("s".to_owned()), vec![PICTURE.to_owned()]);
        Ok(vec![Prompt { system, max_tokens: Some(7), images, ..prompt("a") }, prompt("b")])
    };
    check_wanted("p.jsonl", &lines, wanted, both());
    let array = format!("[{}]", lines.trim_end().replace('\n', ","));
    check_wanted("p.json", &array, wanted, both());
    check_wanted(
        "p.jsonl",
        "{\"question\":\"a\",\"role\":null,\"length\":\"x\",\"photo\":null}",
        wanted,
        Err("line 1 of `p.jsonl` holds no number in `length`"),
    );
    check_wanted(
        "p.jsonl",
        "{\"question\":5,\"role\":null,\"length\":1,\"photo\":null}",
        wanted,
        Err("line 1 of `p.jsonl` holds no text in `question`"),
    );
    check_wanted("p.json", "[{\"question\":\"a\"}]", wanted, Err("entry 1 of `p.json` has no column `role`"));
}

const TABLE: &str = "id,question,system,tokens\n1,\"a, \"\"b\"\"\nc\",,\n2,d,s,30\n";

#[test]
fn a_table_has_named_columns() {
    let columns = named("question", Some("system"), Some("tokens"), None);
    let wanted = Wanted { columns: Some(&columns), ..ONE_TURN };
    let second = Prompt { system: Some("s".to_owned()), max_tokens: Some(30), ..prompt("d") };
    check_wanted("p.csv", TABLE, wanted, Ok(vec![prompt("a, \"b\"\nc"), second.clone()]));
    check_wanted("p.dat", TABLE, wanted, Ok(vec![prompt("a, \"b\"\nc"), second]));
    check_wanted(
        "p.CSV",
        format!("prompt,image\na,\"{PICTURE}\"\nb,\n"),
        ONE_TURN,
        Ok(vec![Prompt { images: vec![PICTURE.to_owned()], ..prompt("a") }, prompt("b")]),
    );
}

#[test]
fn what_is_wrong_with_a_table_is_named_by_its_line() {
    let columns = |prompt| named(prompt, None, Some("tokens"), None);
    let (wrong, right) = (columns("questoin"), columns("question"));
    let error = read("p.csv", TABLE.as_bytes(), Wanted { columns: Some(&wrong), ..ONE_TURN }).unwrap_err();
    assert_eq!(error.to_string(), "line 1 of `p.csv` has no column `questoin`");
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert_eq!(help, "the nearest are `question`, `system`, `tokens`, `id`");

    let wanted = Wanted { columns: Some(&right), ..ONE_TURN };
    let check = |file: &str, expected| check_wanted("p.csv", file, wanted, Err(expected));
    check("question,tokens\na,many\n", "line 2 of `p.csv` holds no number in `tokens`");
    check("question,tokens\na,1\n,2\n", "line 3 of `p.csv` has an empty prompt");
    check(
        "question,tokens\na\n",
        "line 2 of `p.csv` cannot be read as CSV: CSV error: record 1 (line: 2, byte: 16): found record with 1 fields, \
         but the previous record has 2 fields",
    );
    check("question,tokens\n", "`p.csv` holds no prompt");
    check_wanted("p.csv", "", ONE_TURN, Err("`p.csv` holds no prompt"));
    check_wanted("p.csv", "\n\n", wanted, Err("`p.csv` holds no prompt"));
    check_wanted(
        "p.csv",
        "prompt,max_token\na,1\n",
        ONE_TURN,
        Err("`p.csv` has a column `max_token`, which would be left out"),
    );
}

const SHARE_GPT: &str = r#"[
  {"id": "one", "conversations": [
    {"from": "gpt", "value": "earlier"},
    {"from": "human", "value": "first"}, {"from": "gpt", "value": "answer"},
    {"from": "human", "value": " "}, {"from": "human", "value": "second"}, {"from": "gpt", "value": "more"},
    {"from": "human", "value": "third"}]},
  {"id": "two", "conversations": []},
  {"conversations": [{"from": "system", "value": "be kind"}, {"from": "human", "value": "alone", "markdown": null}]}
]"#;

#[test]
fn a_conversation_begins_with_its_first_question() {
    let kind = Prompt { system: Some("be kind".to_owned()), ..prompt("alone") };
    check_wanted("s.json", SHARE_GPT, ONE_TURN, Ok(vec![prompt("first"), kind.clone()]));
    let with = |followups: &[&str]| Prompt {
        followups: followups.iter().map(|text| (*text).to_owned()).collect(),
        ..prompt("first")
    };
    let turns = |turns| Wanted { turns, ..ONE_TURN };
    check_wanted("s.json", SHARE_GPT, turns(2), Ok(vec![with(&["second"]), kind.clone()]));
    check_wanted("noname", SHARE_GPT, turns(9), Ok(vec![with(&["second", "third"]), kind]));
}

#[test]
fn messages_with_roles_are_conversations_too() {
    let lines = r#"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": []}]}
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]}], "tools": []}"#;
    let first = Prompt { system: Some("s".to_owned()), ..prompt("a") };
    check_wanted("m.jsonl", lines, ONE_TURN, Ok(vec![first, prompt("b\nc")]));
}

#[test]
fn what_is_left_out_of_conversations_is_said() {
    let found = read("s.json", SHARE_GPT.as_bytes(), Wanted { answers: true, ..ONE_TURN }).unwrap();
    assert_eq!(
        found.notes,
        [
            "conversations of `s.json` left out, because nobody asks anything in them: 1",
            "answers may be as long as those recorded in `s.json`"
        ]
    );
    let answers: Vec<_> = found.drafts.iter().map(|draft| draft.answer.as_deref()).collect();
    assert_eq!(answers, [Some("answer"), None]);
    let single = r#"{"messages": [{"role": "user", "content": "a"}]}"#;
    let found = read("m.jsonl", single.as_bytes(), Wanted { turns: 3, ..ONE_TURN }).unwrap();
    assert_eq!(found.notes, ["no conversation of `m.jsonl` has a second turn"]);
}

#[test]
fn what_is_no_conversation_is_named_by_its_entry() {
    let check = |file: &str, expected| check_wanted("s.json", file, ONE_TURN, Err(expected));
    check(
        r#"[{"conversations": [{"from": "human", "value": "a"}]}, {"text": "b"}]"#,
        "entry 2 of `s.json` is not a conversation: it has neither `conversations` nor `messages` at line 1 column 69",
    );
    check(
        r#"[{"conversations": [{"from": "human", "value": 5}]}]"#,
        "entry 1 of `s.json` is not a conversation: data did not match any variant of untagged enum Content at line 1 \
         column 49",
    );
    check(
        r#"[{"conversations": [{"from": "human", "value": "a"}]}"#,
        "entry 2 of `s.json` is not a conversation: EOF while parsing a list at line 1 column 53",
    );
    check("[] x", "entry 1 of `s.json` is not a conversation: trailing characters at line 1 column 4");
    check("[]", "`s.json` holds no prompt");
    let deep = format!(r#"[{{"conversations": {}"#, "[".repeat(100_000));
    assert!(read("s.json", deep.as_bytes(), ONE_TURN).is_err());
}

const SMALL: Limits = Limits { file_bytes: 4000, line_bytes: 1000, prompts: 5, kept_bytes: 2000 };

#[track_caller]
fn check_bounds(path: &str, file: &str, expected: Result<(usize, &[&str]), &str>) {
    // As a file is read, a piece at a time.
    let reader = std::io::BufReader::with_capacity(64, Cursor::new(file));
    let got = read_within(SMALL, path, reader, ONE_TURN);
    match (got, expected) {
        (Ok(found), Ok((count, notes))) => assert_eq!(
            (found.drafts.len(), found.notes.as_slice()),
            (count, &*notes.iter().map(|note| (*note).to_owned()).collect::<Vec<_>>())
        ),
        (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
        (got, _) => panic!("{got:?}"),
    }
}

#[test]
fn a_line_may_be_so_long_and_no_longer() {
    let full = "x".repeat(1000);
    check_bounds("p", &full, Ok((1, &[])));
    check_bounds("p", &format!("a\n{full}y\n"), Err("line 2 of `p` is longer than 0 KiB"));
}

#[test]
fn an_entry_without_end_is_given_up() {
    // The CSV reader reads ahead: the bound is met only after its own buffers.
    let endless = "x".repeat(3900);
    let csv = format!("prompt\n\"{endless}");
    check_bounds("p.csv", &csv, Err("line 2 of `p.csv` is longer than 0 KiB"));
    let json = format!("[{{\"conversations\": [{{\"from\": \"human\", \"value\": \"{endless}");
    check_bounds("p.json", &json, Err("entry 1 of `p.json` is longer than 0 KiB"));
}

#[test]
fn a_file_may_be_so_large_and_no_larger() {
    let blanks = format!("{}\n", " ".repeat(900)).repeat(5);
    check_bounds("p", &blanks, Err("`p` is larger than 0 MiB"));
}

#[test]
fn what_comes_after_enough_prompts_is_left_out() {
    let first = |count, path| format!("prompts of `{path}` used: the first {count}; the rest is left out");
    check_bounds("p", &"a\n".repeat(5), Ok((5, &[])));
    check_bounds("p", &"a\n".repeat(6), Ok((5, &[&first(5, "p")])));
    check_bounds("p", &format!("{}\n", "x".repeat(900)).repeat(3), Ok((2, &[&first(2, "p")])));
    check_bounds("p.csv", &format!("prompt\n{}", "a\n".repeat(6)), Ok((5, &[&first(5, "p.csv")])));
    let entry = r#"{"conversations":[{"from":"human","value":"a"}]}"#;
    check_bounds("p.json", &format!("[{}]", [entry; 6].join(",")), Ok((5, &[&first(5, "p.json")])));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, path in "p(\\.csv|\\.json|\\.jsonl)?", is_named: bool) {
        let columns = named("a", Some("b"), Some("c"), Some("d"));
        let wanted = Wanted { columns: is_named.then_some(&columns), turns: 3, answers: true };
        if let Ok(found) = read(&path, bytes.as_slice(), wanted) {
            prop_assert!(!found.drafts.is_empty());
            prop_assert!(found.drafts.iter().all(|draft| !draft.prompt.user.trim().is_empty()));
        }
    }

    #[test]
    fn almost_a_file_of_conversations_does_no_harm(cut in 0..SHARE_GPT.len(), junk: Vec<u8>) {
        let file = [&SHARE_GPT.as_bytes()[..cut], &junk].concat();
        let _outcome = read("s.json", file.as_slice(), ONE_TURN);
    }

    #[test]
    fn what_was_written_as_jsonl_is_read_back(texts in prop::collection::vec("\\PC*[a-z]\\PC*", 1..20)) {
        let file: String = texts.iter().map(|t| serde_json::json!({ "prompt": t }).to_string() + "\n").collect();
        let found = read("p", file.as_bytes(), ONE_TURN).unwrap();
        prop_assert_eq!(prompts(found).into_iter().map(|p| p.user).collect::<Vec<_>>(), texts);
    }

    #[test]
    fn what_was_written_as_csv_is_read_back(texts in prop::collection::vec("\\PC*[a-z]\\PC*", 1..20)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["prompt"]).unwrap();
        for text in &texts {
            writer.write_record([text]).unwrap();
        }
        let found = read("p.csv", writer.into_inner().unwrap().as_slice(), ONE_TURN).unwrap();
        prop_assert_eq!(prompts(found).into_iter().map(|p| p.user).collect::<Vec<_>>(), texts);
    }
}
