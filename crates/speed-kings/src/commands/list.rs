//! `list`: the providers, and what stands between each and its first request.

use futures_util::future::join_all;
use providers::{Ask, Kind, Provider, Readiness};
use report::{Align, Cell, Column, Listing};
use schema::plan::{TimeLimits, TransportPlan};
use schema::units::Nanos;
use store::Redactor;
use transport::{Clock, Connector};

use crate::commands::prepare::without_keys;
use crate::commands::{Context, small_runtime};
use crate::config::problem::{Problem, Problems};
use crate::config::proxy::proxy;
use crate::outcome::{Exit, Failure};

/// How long a provider may take to answer.
const PATIENCE: Nanos = Nanos::from_secs(10);

/// Show providers: which are ready, what the others need, and which models they serve.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings list
  speed-kings list --ready --output json
  speed-kings list groq cerebras          the models they serve
  speed-kings list --models               the models of all that are ready")]
pub(crate) struct Args {
    /// Providers whose models to show.
    providers: Vec<String>,

    /// Ask the providers named, or all that are ready, which models they serve.
    #[arg(long)]
    models: bool,

    /// Leave out those that are not ready.
    #[arg(long, conflicts_with = "models")]
    ready: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if args.providers.is_empty() && !args.models {
        context.print_listing(&overview(args.ready, context))?;
        return Ok(Exit::Done);
    }
    let wanted = if args.providers.is_empty() { ready(context) } else { named(&args.providers)? };
    let answers = ask(&wanted, context)?;
    context.print_listing(&models(&answers))?;
    for (provider, answer) in &answers {
        if let Err(why) = answer {
            context.terminal.note(&format!("`{}` was not asked, or did not answer: {why}", provider.id));
        }
    }
    Ok(if answers.iter().any(|(_, answer)| answer.is_err()) { Exit::Failed } else { Exit::Done })
}

/// What a provider serves, or why that is not known.
type Answer = (&'static Provider, Result<Vec<String>, String>);

/// Asks all of them at once.
fn ask(wanted: &[&'static Provider], context: &Context) -> Result<Vec<Answer>, Failure> {
    let limits = TimeLimits { connect_ns: PATIENCE, first_token_ns: PATIENCE, gap_ns: PATIENCE, total_ns: PATIENCE };
    let plan = TransportPlan { limits, ..TransportPlan::default() };
    let proxy = proxy(&context.environment)?;
    let connector = Connector::new(&plan, proxy, Clock::start()).map_err(miette::Report::new)?;
    let asked = wanted.iter().map(async |provider| (*provider, ask_one(provider, &connector, context).await));
    Ok(small_runtime()?.block_on(join_all(asked)))
}

async fn ask_one(provider: &Provider, connector: &Connector, context: &Context) -> Result<Vec<String>, String> {
    let ask = Ask { provider: provider.id, ..Ask::default() };
    let access = providers::access(&ask, &context.environment.lookup()).map_err(|error| error.to_string())?;
    let keys: Vec<_> = access.key.iter().cloned().collect();
    let served = without_keys(discover::models_at(connector, &access).await, &Redactor::new(&keys, &[]));
    served.map(|served| served.models).map_err(|failure| format!("{}: {}", failure.class, failure.message))
}

/// All that are ready as far as the environment tells, engines only where their address is set.
fn ready(context: &Context) -> Vec<&'static Provider> {
    let is_ready = |provider: &&&'static Provider| {
        let moved = provider.url_variables.iter().any(|variable| context.environment.get(variable).is_some());
        let readiness = providers::readiness(provider, &context.environment.lookup());
        readiness == Readiness::Ready && (provider.kind == Kind::Hosted || moved)
    };
    providers::registry().iter().filter(is_ready).copied().collect()
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

fn models(answers: &[Answer]) -> Listing {
    Listing {
        title: String::new(),
        columns: vec![
            column("provider", "Provider"),
            column("model", "Model"),
            column("family", "Family"),
            column("default", "Default"),
            column("served", "Served"),
        ],
        rows: answers.iter().flat_map(|(provider, answer)| model_rows(provider, answer.as_ref().ok())).collect(),
    }
}

/// A row for each model served; where that is not known, for each model known of.
fn model_rows(provider: &Provider, served: Option<&Vec<String>>) -> Vec<Vec<Cell>> {
    let known = || provider.families.iter().map(|(_, id)| (*id).to_owned()).collect();
    let models: Vec<String> = served.cloned().unwrap_or_else(known);
    let family = |model: &str| provider.families.iter().find(|(_, id)| *id == model).map(|(family, _)| *family);
    let row = |model: &String| {
        vec![
            Cell::Text(provider.id.to_owned()),
            Cell::Text(model.clone()),
            family(model).map_or(Cell::Empty, |family| Cell::Text(family.to_owned())),
            Cell::Flag(provider.default_model == Some(model)),
            served.map_or(Cell::Text("not known".to_owned()), |_| Cell::Flag(true)),
        ]
    };
    models.iter().map(row).collect()
}
