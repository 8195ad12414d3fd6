use std::io::Cursor;
use std::path::PathBuf;

use schema::plan::{PromptSource, Size, Workload};

use super::*;

fn workload(prompts: PromptSource) -> Workload {
    Workload::plain(prompts, 128)
}

fn prepared(prompts: PromptSource, file: Option<&str>) -> Result<Vec<String>, String> {
    let file = file.map(|file| Box::new(Cursor::new(file.to_owned())) as Box<dyn std::io::BufRead>);
    prepare(&workload(prompts), 1, Sources { file, ..Sources::default() })
        .map(|prompts| (0..).map_while(|number| Some(prompts.at(number)?.prompt.user.clone())).collect())
        .map_err(|error| error.to_string())
}

#[test]
fn one_text_is_one_prompt_as_it_was_written() {
    assert_eq!(prepared(PromptSource::Text(" hello\n".into()), None), Ok(vec![" hello\n".to_owned()]));
    assert_eq!(prepared(PromptSource::Text(" \n".into()), None), Err("the prompt is empty".to_owned()));
}

#[test]
fn a_file_is_read_only_when_it_was_asked_for() {
    let file = || PromptSource::File(PathBuf::from("p.txt"));
    assert_eq!(prepared(file(), Some("a\nb")), Ok(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(prepared(file(), None), Err("the prompts of `p.txt` were not handed over".to_owned()));
    assert_eq!(prepared(PromptSource::BuiltIn(Size::Short), Some("a")).unwrap().len(), 16);
}

#[test]
fn every_error_names_a_next_step() {
    let path = || "p.txt".to_owned();
    let read = WorkloadError::Read { path: path(), line: 1, source: std::io::ErrorKind::InvalidData.into() };
    let json =
        WorkloadError::NotAPrompt { path: path(), line: 1, source: serde_json::from_str::<u8>("x").unwrap_err() };
    for error in [
        WorkloadError::EmptyText,
        WorkloadError::NoReader { path: path() },
        WorkloadError::EmptyFile { path: path() },
        WorkloadError::FileTooLarge { path: path() },
        WorkloadError::LineTooLong { path: path(), line: 1 },
        WorkloadError::EmptyPrompt { path: path(), line: 1, what: "an empty prompt" },
        read,
        json,
    ] {
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
        assert!(help.len() > 10 && !help.contains("{{"), "{error}: {help}");
    }
}
