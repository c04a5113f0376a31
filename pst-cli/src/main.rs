//! The `pst` command: moves mail between the world and Outlook's Personal Folders files.

mod args;
mod cmd;
mod exit;
mod report;
mod ui;

use clap::Parser;
use std::process::ExitCode;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    exit::outlast_file_limit();
    let cli = args::Cli::parse();
    let result = match &cli.command {
        args::Command::Convert(a) => cmd::convert::run(a),
        args::Command::Info(a) => cmd::info::run(a),
        args::Command::Ls(a) => cmd::ls::run(a),
        args::Command::Cat(a) => cmd::cat::run(a),
        args::Command::Check(a) => cmd::check::run(a),
        args::Command::Prepare(a) => cmd::prepare::run(a),
        #[cfg(feature = "network")]
        args::Command::Login(a) => cmd::login::run(a),
        #[cfg(feature = "network")]
        args::Command::Logout(a) => cmd::login::forget(a),
    };
    match result {
        Ok(outcome) => outcome.code(),
        Err(error) if exit::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            ui::text::say(format!("pst: {error}"));
            exit::code_of(&error)
        }
    }
}
