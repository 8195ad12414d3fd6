//! `list`: the providers, and what stands between each and its first request.

use providers::{Provider, Readiness};
use report::{Align, Cell, Column, Listing};

use crate::commands::Context;
use crate::config::problem::{Problem, Problems};
use crate::outcome::{Exit, Failure};

/// Show providers: which are ready, what the others need, and which model each is asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings list
  speed-kings list groq cerebras          their models by family
  speed-kings list --ready --output json")]
pub(crate) struct Args {
    /// Providers whose models to show.
    providers: Vec<String>,

    /// Leave out those that are not ready.
    #[arg(long)]
    ready: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if args.providers.is_empty() {
        context.print_listing(&overview(args.ready, context))?;
    } else {
        context.print_listing(&models(&named(&args.providers)?))?;
    }
    Ok(Exit::Done)
}

fn column(key: &'static str, heading: &'static str) -> Column {
    Column { key, heading, align: Align::Left }
}

fn overview(only_ready: bool, context: &Context) -> Listing {
    let rows = providers::registry().iter().filter_map(|provider| {
        let readiness = providers::readiness(provider, &context.environment.lookup());
        (!only_ready || readiness == Readiness::Ready).then(|| overview_row(provider, readiness, context))
    });
    Listing {
        title: String::new(),
        columns: vec![
            column("provider", "Provider"),
            column("kind", "Kind"),
            column("ready", "Ready"),
            column("needs", "Needs"),
            column("model", "Default model"),
            column("url", "URL"),
        ],
        rows: rows.collect(),
    }
}

fn overview_row(provider: &Provider, readiness: Readiness, context: &Context) -> Vec<Cell> {
    let needs = match readiness {
        Readiness::Ready => Cell::Empty,
        Readiness::MissingKey { variables } => Cell::Text(variables.join(" or ")),
        Readiness::NeedsUrl => Cell::Text(format!("a URL, in {}", provider.url_variables.join(" or "))),
    };
    vec![
        Cell::Text(provider.id.to_owned()),
        Cell::Text(provider.kind.to_string()),
        Cell::Flag(readiness == Readiness::Ready),
        needs,
        provider.default_model.map_or(Cell::Empty, |model| Cell::Text(model.to_owned())),
        address(provider, context).map_or(Cell::Empty, Cell::Text),
    ]
}

/// Where it would be asked. An address from the environment is shown by its variable: it may hold what
/// nobody should read.
fn address(provider: &Provider, context: &Context) -> Option<String> {
    let moved = provider.url_variables.iter().find(|variable| context.environment.get(variable).is_some());
    match moved {
        Some(variable) => Some(format!("${variable}")),
        None => (!provider.base_url.is_empty()).then(|| provider.base_url.to_owned()),
    }
}

fn named(names: &[String]) -> Result<Vec<&'static Provider>, Problems> {
    let mut problems = Problems::default();
    let mut found = Vec::new();
    for name in names {
        match providers::find(name) {
            Ok(provider) => found.push(provider),
            Err(error) => problems.0.push(Problem::from_diagnostic(&error)),
        }
    }
    problems.or(found)
}

fn models(providers: &[&'static Provider]) -> Listing {
    let rows = providers.iter().flat_map(|provider| {
        provider.families.iter().map(|(family, id)| {
            vec![
                Cell::Text(provider.id.to_owned()),
                Cell::Text((*family).to_owned()),
                Cell::Text((*id).to_owned()),
                Cell::Flag(provider.default_model == Some(*id)),
            ]
        })
    });
    Listing {
        title: String::new(),
        columns: vec![
            column("provider", "Provider"),
            column("family", "Family"),
            column("model", "Model"),
            column("default", "Default"),
        ],
        rows: rows.collect(),
    }
}
