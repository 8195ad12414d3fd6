//! How a command ends.

use crate::config::problem::{Problem, Problems};

/// The exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done.
    Done,
    /// 1: failed, wholly or in part.
    Failed,
    /// 2: what was asked for makes no sense.
    Usage,
    /// 3: an SLO or a gate was not met.
    NotMet,
    /// 130: interrupted; what was measured is kept.
    Interrupted,
}

impl Exit {
    /// As the shell sees it.
    pub(crate) const fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotMet => 3,
            Self::Interrupted => 130,
        }
    }
}

/// Why a command could not go on, and the exit status that goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) report: miette::Report,
    pub(crate) exit: Exit,
}

impl Failure {
    /// What was asked for makes no sense.
    pub(crate) fn usage(error: impl Into<miette::Report>) -> Self {
        Self { report: error.into(), exit: Exit::Usage }
    }
}

/// What is wrong with what was asked for is wrong usage.
impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::usage(problems)
    }
}

/// As [`Problems`].
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::usage(problem)
    }
}

/// An error of another room: we could not go on.
impl From<miette::Report> for Failure {
    fn from(report: miette::Report) -> Self {
        Self { report, exit: Exit::Failed }
    }
}
