//! Comparing a sealed run with its checksums.

use std::fmt;

use schema::manifest::Status;
use schema::text::Untrusted;

use crate::{Run, StoreError, disk, is_recorded};

/// What is wrong with one file of a sealed run.
#[derive(Debug)]
pub enum Problem {
    /// The run was never sealed, so there is nothing to compare with.
    NotSealed,
    /// A sealed file is gone.
    Gone(String),
    /// A sealed file is no longer what it was.
    Changed(String),
    /// A sealed file cannot be read.
    Unreadable(String, StoreError),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSealed => f.write_str("the run was never sealed, so it has no checksums"),
            Self::Gone(path) => write!(f, "`{}` is gone", Untrusted::from(path.as_str())),
            Self::Changed(path) => write!(f, "`{}` was changed after the seal", Untrusted::from(path.as_str())),
            Self::Unreadable(_, error) => error.fmt(f),
        }
    }
}

/// Compares every sealed file with its checksum; empty when all is as it was.
#[must_use]
pub fn verify(run: &Run) -> Vec<Problem> {
    if run.manifest.status == Status::Running {
        return vec![Problem::NotSealed];
    }
    run.manifest.checksums.iter().filter_map(|(path, sum)| problem(run, path, sum)).collect()
}

/// As [`verify`], of the files of what happened alone: nothing where the run was never sealed.
#[must_use]
pub fn verify_records(run: &Run) -> Vec<Problem> {
    let recorded = run.manifest.checksums.iter().filter(|(path, _)| is_recorded(path));
    recorded.filter_map(|(path, sum)| problem(run, path, sum)).collect()
}

fn problem(run: &Run, relative: &str, sum: &str) -> Option<Problem> {
    let path = match disk::inside(&run.path, relative) {
        Ok(path) if !path.exists() => return Some(Problem::Gone(relative.to_owned())),
        Ok(path) => path,
        Err(error) => return Some(Problem::Unreadable(relative.to_owned(), error)),
    };
    match disk::sha256(&path) {
        Ok(found) if found.eq_ignore_ascii_case(sum) => None,
        Ok(_) => Some(Problem::Changed(relative.to_owned())),
        Err(error) => Some(Problem::Unreadable(relative.to_owned(), error)),
    }
}
