use std::io::{self, Write};

use super::{Appender, End, Sink};
use crate::StoreError;

/// A disk with room for so many bytes.
struct Disk {
    bytes: Vec<u8>,
    room: usize,
    can_cut: bool,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.room - self.bytes.len());
        if n == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Disk {
    fn cut(&mut self, len: u64) -> io::Result<()> {
        if !self.can_cut {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.bytes.truncate(usize::try_from(len).unwrap());
        Ok(())
    }
}

/// Writes three lines to a disk that is full after `room` bytes, makes room, writes the rest.
#[track_caller]
fn check(room: usize, can_cut: bool, when_full: &str, at_last: &str) {
    let mut end = End { sink: Disk { bytes: vec![], room, can_cut }, len: 0, torn: false };
    let mut lines = b"one\ntwo\nthree\n".to_vec();
    assert_eq!(end.write(&mut lines).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(String::from_utf8_lossy(&end.sink.bytes), when_full);
    end.sink.room = 100;
    end.write(&mut lines).unwrap();
    assert!(lines.is_empty());
    assert_eq!(String::from_utf8_lossy(&end.sink.bytes), at_last);
    assert_eq!(end.len, end.sink.bytes.len() as u64);
}

#[test]
fn a_disk_that_fills_up_keeps_whole_lines_and_takes_the_rest_later() {
    check(0, true, "", "one\ntwo\nthree\n");
    check(2, true, "", "one\ntwo\nthree\n");
    check(4, true, "one\n", "one\ntwo\nthree\n");
    check(9, true, "one\ntwo\n", "one\ntwo\nthree\n");
}

#[test]
fn a_torn_line_that_cannot_be_cut_off_never_joins_the_next() {
    check(2, false, "on", "on\none\ntwo\nthree\n");
    check(9, false, "one\ntwo\nt", "one\ntwo\nt\nthree\n");
}

#[test]
fn a_file_that_ends_in_a_torn_line_is_continued_on_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines");
    std::fs::write(&path, "whole\ntor").unwrap();
    let mut lines = Appender::new(path.clone());
    lines.push(b"next\n").unwrap();
    lines.flush().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole\ntor\nnext\n");
}

#[test]
fn a_full_buffer_is_written_without_a_flush() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines");
    let mut lines = Appender::new(path.clone());
    lines.push(b"short\n").unwrap();
    assert!(!path.exists());
    lines.push(&vec![b'x'; super::BUFFER_BYTES]).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 6 + super::BUFFER_BYTES as u64);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_says_what_to_do() {
    let mut lines = Appender::new("/dev/full".into());
    lines.push(b"line\n").unwrap();
    let error = lines.flush().unwrap_err();
    assert_eq!(error.to_string(), "cannot write to `/dev/full`");
    assert!(miette::Diagnostic::help(&error).unwrap().to_string().starts_with("free some space"));
    assert!(matches!(error, StoreError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull));
    assert_eq!(lines.buffer, b"line\n", "what was not written is kept");
}
