//! `capacity`: how many replicas a demand takes.

use schema::projection::Assumptions;

use crate::commands::Context;
use crate::commands::assumed::{self, given};
use crate::commands::stored::Shelf;
use crate::config::problem::Problem;
use crate::outcome::{Exit, Failure};

/// Tell how many replicas a demand takes, with what headroom and at what cost, from a search over levels of load.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings benchmark --url http://localhost:8000/v1 --find-max=rate --slo 'ttft_p95<500ms'
  speed-kings capacity latest --requests-per-day 2000000 --peak-factor 3 --replica-usd-per-hour 2.5
  speed-kings capacity latest --assumptions demand.yaml --what-if 1.9 --what-if 3.2")]
pub(crate) struct Args {
    /// A run that searched levels of load: `latest`, its folder, its name, or how any of these begin.
    #[arg(default_value = "latest")]
    run: String,

    /// Requests that come in a day.
    #[arg(long, value_name = "N")]
    requests_per_day: Option<f64>,

    /// The busiest moment's rate ÷ the day's mean.
    #[arg(long, value_name = "TIMES")]
    peak_factor: Option<f64>,

    /// Mean input tokens of a request, where they are not the measured ones.
    #[arg(long, value_name = "N")]
    input_tokens: Option<f64>,

    /// Mean output tokens of a request, where they are not the measured ones.
    #[arg(long, value_name = "N")]
    output_tokens: Option<f64>,

    /// How much of what a replica carries may be used: 0.8 keeps a fifth in hand.
    #[arg(long, value_name = "SHARE")]
    utilisation: Option<f64>,

    /// Replicas besides those that are needed.
    #[arg(long, value_name = "N")]
    spare_replicas: Option<f64>,

    /// What one replica costs an hour, in US dollars.
    #[arg(long, value_name = "USD")]
    replica_usd_per_hour: Option<f64>,

    /// Another price of a replica hour, to see what it would change; any number of times.
    #[arg(long, value_name = "USD")]
    what_if: Vec<f64>,

    #[command(flatten)]
    file: assumed::File,

    #[command(flatten)]
    shelf: Shelf,
}

impl Args {
    fn flags(&self) -> Assumptions {
        Assumptions {
            requests_per_day: given(self.requests_per_day),
            peak_factor: given(self.peak_factor),
            input_tokens: given(self.input_tokens),
            output_tokens: given(self.output_tokens),
            utilisation: given(self.utilisation),
            spare_replicas: given(self.spare_replicas),
            replica_usd_per_hour: given(self.replica_usd_per_hour),
            ..Assumptions::default()
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let assumptions = args.file.under(args.flags())?;
    check(&assumptions, &args.what_if)?;
    let (run, summary) = args.shelf.numbers(&args.run, context)?;
    if summary.curves.is_empty() {
        return Err(miette::miette!(
            help = "measure one with `benchmark --find-max=rate --slo …` or `benchmark --sweep`",
            "`{}` did not search levels of load: what one replica carries is not known from it",
            summary.name
        )
        .into());
    }
    let projected = stats::capacity(&run.manifest.plan, &summary, &assumptions, &args.what_if);
    context.print_projected(&projected.expect("there is a demand"))?;
    Ok(Exit::Done)
}

/// Holds what was given against what can be planned with.
fn check(assumptions: &Assumptions, prices: &[f64]) -> Result<(), Problem> {
    if assumptions.requests_per_day.is_none() {
        return Err(Problem::new("there is no demand to plan for")
            .help("add `--requests-per-day N`, or `requests_per_day: N` to the file of assumptions"));
    }
    let nothing = |assumed: &schema::projection::Assumed| assumed.low.unwrap_or(assumed.value) <= 0.0;
    let needed = ["requests_per_day", "peak_factor", "utilisation", "input_tokens", "output_tokens"];
    let zero =
        assumptions.numbers().into_iter().find(|(name, _, given)| needed.contains(name) && given.is_some_and(nothing));
    if let Some((name, ..)) = zero {
        return Err(Problem::new(format!("`{name}` is zero")).help("give a number above zero, or leave it out"));
    }
    let most = |assumed: &schema::projection::Assumed| assumed.high.unwrap_or(assumed.value) > 1.0;
    if assumptions.utilisation.as_ref().is_some_and(most) {
        return Err(Problem::new("`utilisation` is a share, 1 at most").help("write 0.8 for 80 %"));
    }
    if prices.iter().any(|price| !price.is_finite() || *price < 0.0) {
        return Err(Problem::new("`--what-if` takes prices in US dollars an hour").help("write `--what-if 1.9`"));
    }
    Ok(())
}
