//! `completions`: a script that completes commands and flags in a shell.

use clap_complete::{Shell, generate};

use crate::commands::Context;
use crate::outcome::{Exit, Failure};

/// Print a script that completes commands and flags in your shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings completions bash > ~/.local/share/bash-completion/completions/speed-kings
  speed-kings completions zsh > ~/.zfunc/_speed-kings
  speed-kings completions fish > ~/.config/fish/completions/speed-kings.fish")]
pub(crate) struct Args {
    /// The shell to complete in.
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut crate::args::command(), "speed-kings", &mut script);
    context.terminal.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
