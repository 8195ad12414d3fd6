//! Streams and signals: what goes where, and what happens when nobody reads.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::command::Desk;

#[test]
fn a_reader_that_leaves_ends_the_command_quietly() {
    let desk = Desk::new();
    for arguments in [&["pricing"][..], &["completions", "bash"], &["benchmark", "--help"], &["config", "schema"]] {
        let mut child = desk.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn colours_go_to_terminals_only_unless_asked_for() {
    let desk = Desk::new();
    let error = |arguments: &[&str]| desk.run(arguments).err;
    assert!(!error(&["list", "grok"]).contains('\u{1b}'));
    assert!(error(&["list", "grok", "--color", "always"]).contains('\u{1b}'));
}

#[test]
fn quiet_leaves_out_notes_and_keeps_errors() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["results", "list", "--quiet"]).err, "");
    assert_ne!(desk.run(&["list", "grok", "--quiet"]).err, "");
}

#[test]
fn verbose_tells_which_files_were_read() {
    let desk = Desk::new().with_file("speed-kings.yaml", "requests: 3\n");
    assert_eq!(desk.run(&["config", "check"]).err, "");
    let err = desk.run(&["config", "check", "-v"]).err;
    assert!(err.contains("read 1 setting from `speed-kings.yaml`"), "{err}");
}

#[test]
fn a_simulated_engine_says_where_it_listens_on_stdout() {
    let desk = Desk::new();
    let arguments = ["sim", "--engine", "ollama", "--model", "tiny", "--fault", "reset:0.5"];
    let mut child = desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("http://127.0.0.1:"), "{line}");
    let mut note = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut note).unwrap();
    assert_eq!(note, "a simulated ollama serves `tiny`; measure it with\n");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_wrong_fault_is_answered_with_the_way_to_write_it() {
    let outcome = Desk::new().run(&["sim", "--fault", "reset:2"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
    error: invalid value 'reset:2' for '--fault <FAULT[:SHARE]>': `2` is no share of requests; write a number from 0 to 1 after the colon, like `reset:0.1`

    For more information, try '--help'.
    ");
    let outcome = Desk::new().run(&["sim", "--fault", "rest"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
    error: invalid value 'rest' for '--fault <FAULT[:SHARE]>': `rest` is no fault; choose one of `rate_limit`, `quota`, `unauthorized`, `forbidden`, `not_found`, `bad_request`, `server_error`, `overloaded`, `reset`, `reset_early`, `stall`, `slow_headers`, `no_first_token`, `truncate`, `truncate_clean`, `malformed`, `bad_chunk`, `bad_status_line`, `error_in_stream`, `empty`, `huge_event`, `huge_header`, `endless`, `html`, `redirect`, `split_utf8`, `one_byte_writes`, `multi_token`, `hostile_text`

    For more information, try '--help'.
    ");
}
