//! Votes of people on answers: lines in the folder of results, only ever added to.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use schema::vote::{VOTE_VERSION, Vote};
use serde::Deserialize;

use crate::append::Appender;
use crate::lines::{Line, Lines};
use crate::redact::Layout;
use crate::{Redactor, StoreError};

/// The file in the folder of results that holds all votes.
pub const VOTES: &str = "votes.jsonl";

/// A line of it has at most this many bytes.
const LONGEST_LINE: usize = 32 << 10;

/// So many bytes of the file are read at most: some hundred thousand votes.
const MOST_BYTES: u64 = 64 << 20;

/// The votes of a folder of results, and what of its file could not be read.
#[derive(Debug, Default)]
pub struct Voted {
    /// In the order they were given.
    pub votes: Vec<Vote>,
    /// Lines that are no votes: torn by a crash, too long, or not of our making.
    pub unreadable: u64,
    /// Votes of a newer program.
    pub newer: u64,
    /// Whether the file is longer than what is read of it.
    pub cut: bool,
}

/// The one field that every version of a vote has.
#[derive(Deserialize)]
struct Head {
    format_version: u64,
}

/// Keeps `vote` in the folder `out`, without what `guard` knows as secrets. With the system when this returns:
/// the program may die then, and the vote is kept.
///
/// # Errors
/// The vote is longer than readers accept, or the disk refuses.
pub fn keep_vote(out: &Path, vote: &Vote, guard: &Redactor) -> Result<(), StoreError> {
    let line = guard.json("a vote", vote, Layout::Line)?;
    if line.len() > LONGEST_LINE {
        return Err(StoreError::TooLarge { path: out.join(VOTES), limit: LONGEST_LINE as u64 });
    }
    let mut file = Appender::new(out.join(VOTES));
    file.push(&line)?;
    file.flush()
}

/// The votes kept in the folder `out`; none where there is no such folder or file. What is no vote is counted and passed
/// over.
///
/// # Errors
/// The file is there but cannot be read.
pub fn votes(out: &Path) -> Result<Voted, StoreError> {
    let path = out.join(VOTES);
    let unreadable = |error| StoreError::io("read", &path, error);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Voted::default()),
        Err(error) => return Err(unreadable(error)),
    };
    let cut = file.metadata().map_err(unreadable)?.len() > MOST_BYTES;
    let mut voted = Voted { cut, ..Voted::default() };
    let mut lines = Lines::new(BufReader::new(file.take(MOST_BYTES)), LONGEST_LINE);
    while let Some(line) = lines.next().map_err(unreadable)? {
        // A last line without its end was being written when the program died: it may be whole all the same.
        match line {
            Line::Whole(b"") => {}
            Line::Unended(_) if cut => {}
            Line::Whole(bytes) | Line::Unended(bytes) => voted.take(bytes),
            Line::TooLong => voted.unreadable += 1,
        }
    }
    Ok(voted)
}

impl Voted {
    fn take(&mut self, line: &[u8]) {
        let version = serde_json::from_slice::<Head>(line).map(|head| head.format_version);
        match version {
            Ok(version) if version > u64::from(VOTE_VERSION) => self.newer += 1,
            Ok(_) => match serde_json::from_slice::<Vote>(line).ok().filter(Vote::is_sound) {
                Some(vote) => self.votes.push(vote),
                None => self.unreadable += 1,
            },
            Err(_) => self.unreadable += 1,
        }
    }
}
