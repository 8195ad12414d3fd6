use std::fmt::Write as _;

use super::*;

fn number(line: &Line<'_>) -> Result<u64, Wrong> {
    crate::series::read(line)
}

/// What is read of a file of `text`, and what was wrong.
fn all(text: &str, line_bytes: usize) -> (Vec<u64>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbers.jsonl");
    std::fs::write(&path, text).unwrap();
    let mut values = Parallel::open(path, "numbers".to_owned(), line_bytes, number).unwrap();
    let mut problems = Problems::default();
    let read = std::iter::from_fn(|| values.next(&mut problems).unwrap()).collect();
    assert_eq!(values.next(&mut problems).unwrap(), None, "the end is the end");
    (read, problems.in_words())
}

#[test]
fn values_of_many_chunks_come_in_the_order_of_their_lines() {
    let numbers: Vec<u64> = (0..20 * CHUNK as u64 / 16).map(|n| n * 1_000_000_000_000).collect();
    let text = numbers.iter().fold(String::new(), |mut text, number| {
        writeln!(text, "{number:>20}").unwrap();
        text
    });
    assert_eq!(all(&text, 100), (numbers, vec![]));
}

#[test]
fn problems_name_their_line_in_whatever_chunk_it_stands() {
    let blank = " ".repeat(CHUNK / 2 - 2);
    let text = format!("{blank}1\n{blank}2\n{blank}x\n{blank}4\n{blank}{blank}5\n{blank}6\n7");
    let (read, problems) = all(&text, CHUNK / 2);
    assert_eq!(read, [1, 2, 4, 6, 7]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("line 3 of `numbers` cannot be read"), "{problems:?}");
    assert_eq!(problems[1], "line 5 of `numbers` is too long and is left out");
}

#[test]
fn a_line_of_several_chunks_is_read_or_passed_over_as_one() {
    let blank = " ".repeat(3 * CHUNK + 5);
    let text = format!("1\n{blank}2\n3\n{blank}4");
    assert_eq!(all(&text, 4 * CHUNK), (vec![1, 2, 3, 4], vec![]));
    let (read, problems) = all(&text, CHUNK);
    assert_eq!(read, [1, 3]);
    let too_long = |line| format!("line {line} of `numbers` is too long and is left out");
    assert_eq!(problems, [2, 4].map(too_long));
}

#[test]
fn a_last_line_without_its_end_is_read_if_it_can_be() {
    let text = "1234567\n".repeat(CHUNK / 4);
    let (read, problems) = all(&format!("{text}12"), 100);
    assert_eq!((read.len(), read.last(), problems), (CHUNK / 4 + 1, Some(&12), vec![]));
    let (read, problems) = all(&format!("{text}x"), 100);
    assert_eq!(read.len(), CHUNK / 4);
    assert_eq!(problems, [format!("the last line of `numbers`, {}, was cut off and is left out", CHUNK / 4 + 1)]);
}

#[test]
fn a_file_without_lines_has_no_values() {
    assert_eq!(all("", 10), (vec![], vec![]));
}

#[test]
fn whoever_needs_no_more_may_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbers.jsonl");
    std::fs::write(&path, "1234567\n".repeat(CHUNK)).unwrap();
    let mut values = Parallel::open(path, "numbers".to_owned(), 100, number).unwrap();
    assert_eq!(values.next(&mut Problems::default()).unwrap(), Some(1_234_567));
}
