//! The `speed-kings` command: turns flags, environment and files into a plan, and an outcome into an exit
//! status. Only this crate prints and reads the environment.
//!
//! ```text
//! flags ─┐
//! env  ──┼▶ config (layers ─▶ Settings ─▶ Plan) ─▶ commands (one file a verb) ─▶ stdout, exit status
//! files ─┘                                                  └─▶ notes, progress ─▶ stderr
//! ```
//!
//! Invariants: results alone go to stdout; a key is never printed; every error says what to do next and
//! ends in the exit status of its kind.

mod args;
mod commands;
mod config;
mod environment;
mod outcome;
mod stage;
mod terminal;

use std::process::ExitCode;

use crate::commands::Context;
use crate::environment::Environment;
use crate::outcome::Exit;
use crate::terminal::Terminal;

/// Records are made by one thread and freed by another, some for every request; systems' own allocators, that of musl
/// above all, take locks for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider().install_default().expect("nothing else installs a TLS provider");
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(refusal) => return args::answer(&refusal).into(),
    };
    let environment = Environment::of_this_process();
    let terminal = Terminal::new(&cli.globals, &environment);
    terminal.start_logging(&environment);
    let context = Context::new(terminal, environment, cli.globals.output);
    let exit = match cli.command.run(&context) {
        Ok(exit) => exit,
        Err(failure) => {
            terminal.complain(&failure.report);
            failure.exit
        }
    };
    exit.into()
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}
