//! Exit statuses.

use pst_core::{Error, Kind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// True for the error of a reader that has closed the pipe ("| head"), which is none of ours.
pub fn is_closed_pipe(error: &Error) -> bool {
    error.io_kind() == Some(std::io::ErrorKind::BrokenPipe)
}

/// Lets writes beyond the largest size of a file that the user may make fail, as on a full disk; else a signal would end
/// the process without a word.
pub fn outlast_file_limit() {
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Is set by the first Ctrl-C, which lets the command end by itself; a second one does not wait.
pub fn on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // Where no handler can be had, the signal itself ends the command.
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            pst_core::io::remove_unfinished();
            std::process::exit(130);
        }
    });
    stop
}
