//! `story`: what people live through, told with a run's figures.

use miette::miette;
use schema::target::TargetName;

use crate::args::Output;
use crate::commands::Context;
use crate::commands::assumed::People;
use crate::commands::stored::Shelf;
use crate::outcome::{Exit, Failure};

/// Tell a run as five people live through it; each number with its interval, each assumption with its source.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings story latest
  speed-kings story latest --target groq --interactions-per-user-per-day 40
  speed-kings story latest --assumptions ours.yaml --output markdown")]
pub(crate) struct Args {
    /// The run: `latest`, its folder, its name, or how any of these begin.
    #[arg(default_value = "latest")]
    run: String,

    /// Whom it is about, in place of the target that people wait for least.
    #[arg(long, value_name = "NAME")]
    target: Option<TargetName>,

    #[command(flatten)]
    people: People,

    #[command(flatten)]
    shelf: Shelf,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let assumptions = args.people.assumptions()?;
    let (run, summary, records) = args.shelf.numbers_and_records(&args.run, context)?;
    let projected = stats::impact(&run.manifest.plan, &summary, &records, &assumptions);
    let Some(story) = report::story(&summary, &projected, args.target.as_ref()) else {
        let names: Vec<String> =
            summary.targets.iter().filter(|t| t.completed > 0).map(|t| format!("`{}`", t.target)).collect();
        let help = if names.is_empty() {
            "measure again; `results show` tells what failed".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        return Err(miette!(help = help, "`{}` has no such target with a completed request", summary.name).into());
    };
    context.terminal.print(&match context.output {
        Output::Table => report::story_text(&story, context.terminal.style()),
        Output::Markdown => report::story_markdown(&story),
        Output::Json => report::story_rows(&story).json(),
        Output::Csv => report::story_rows(&story).csv(),
    })?;
    Ok(Exit::Done)
}
