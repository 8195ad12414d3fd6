//! The command line: what may be typed, and what it means.

pub(crate) mod list;
pub(crate) mod quantity;
pub(crate) mod refused;
pub(crate) mod run;
pub(crate) mod screen;
pub(crate) mod target;
pub(crate) mod when;
pub(crate) mod workload;

use std::io::{self, Write as _};

use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};

use crate::commands::Command;
use crate::config::verb::VERBS;
use crate::outcome::Exit;

/// Measures LLM inference: who is fastest, at what load, at what price, and how sure are we.
#[derive(Debug, Parser)]
#[command(
    name = "speed-kings",
    bin_name = "speed-kings",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  speed-kings benchmark --mock                      simulated engines, nothing installed
  speed-kings benchmark --providers groq,cerebras   hosted providers, keys from the environment
  speed-kings benchmark --url http://localhost:8000/v1 --model qwen3
  speed-kings list                                  what can be measured, and what is missing

Exit status: 0 done, 1 failed, 2 wrong usage, 3 an SLO or gate not met, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    pub(crate) globals: Globals,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Globals {
    /// Form of the results on stdout.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub(crate) output: Output,

    /// When to use colours; `auto` heeds `NO_COLOR`.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: ColorChoice,

    /// Say more on stderr; twice or thrice for still more.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// No notes and no progress on stderr.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// Form of the results on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Output {
    /// A table for the terminal.
    #[default]
    Table,
    /// JSON for programs.
    Json,
    /// Markdown for documents.
    Markdown,
    /// CSV for spreadsheets.
    Csv,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Reads this process's command line.
///
/// # Errors
/// What clap has to say instead: help, a version, or what is wrong.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let mut command = command();
    let args = refused::join_negative(std::env::args_os());
    let matches = command.try_get_matches_from_mut(args).map_err(|refusal| refused::retell(refusal, &command))?;
    Cli::from_arg_matches(&matches).map_err(|e| e.format(&mut command))
}

/// All commands; each shows the flags that it has a use for, and what they mean there.
pub(crate) fn command() -> clap::Command {
    VERBS.iter().fold(Cli::command(), |command, verb| {
        let fit = |arg: clap::Arg| {
            let own = verb.own.iter().find(|own| arg.get_id() == own.key);
            let is_useless = verb.is_without(arg.get_id().as_str());
            match own {
                Some(own) => arg.value_name(own.value_name).help(own.help).help_heading("Replay"),
                None if is_useless => arg.hide(true),
                None => arg,
            }
        };
        command.mut_subcommand(verb.name, |command| command.mut_args(fit))
    })
}

/// Prints what clap has to say: help and versions are results, all else is wrong usage.
pub(crate) fn answer(refusal: &clap::Error) -> Exit {
    let plain = refusal.to_string();
    let masked = mask_user_info(&plain);
    if masked == plain {
        // A reader that has gone away is no failure.
        drop(refusal.print());
    } else {
        drop(write!(io::stderr(), "{masked}"));
    }
    if refusal.use_stderr() { Exit::Usage } else { Exit::Done }
}

/// `text` with `***` for the user name and password of each URL in it.
pub(crate) fn mask_user_info(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        masked.push_str(before);
        let authority = after.find(|c: char| "/?#,'\"`".contains(c) || c.is_whitespace()).unwrap_or(after.len());
        rest = match after[..authority].rfind('@') {
            Some(end) => {
                masked.push_str("***");
                &after[end..]
            }
            None => after,
        };
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_info_is_masked_wherever_a_url_stands() {
        assert_eq!(mask_user_info("'http://me:pw@x/y' and http://z@w"), "'http://***@x/y' and http://***@w");
        assert_eq!(mask_user_info("a=vllm@http://x,model=m@n"), "a=vllm@http://x,model=m@n");
        assert_eq!(mask_user_info("http://a:p@w@x:1"), "http://***@x:1");
    }
}
