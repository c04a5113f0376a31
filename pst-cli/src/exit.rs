//! Exit statuses.

use pst_core::{Error, Kind};
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done: 0.
    Done,
    /// Done, but items failed or findings were made: 1.
    Flawed,
}

impl Outcome {
    /// The process's exit status.
    pub fn code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Flawed => ExitCode::from(1),
        }
    }
}

/// The exit status of an error that ended the run: 130 when interrupted, else 2.
pub fn code_of(error: &Error) -> ExitCode {
    ExitCode::from(if error.kind() == Kind::Interrupted { 130 } else { 2 })
}
