//! `results list`: the runs there are, or those that are meant.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use clap::ValueEnum;
use jiff::Timestamp;
use miette::Report;
use report::{Align, Cell, Column, Listing};
use schema::counted;
use schema::manifest::{Machine, Status};
use store::{Entry, Filter, Head, Pattern};

use crate::args::Output;
use crate::args::when::When;
use crate::commands::Context;
use crate::commands::stored::Shelf;
use crate::outcome::{Exit, Failure};

/// Columns of a terminal that a list takes without cutting words apart.
const ROOMY: u16 = 110;

/// What a narrower terminal shows.
const NARROW: [&str; 5] = ["run", "status", "targets", "requests", "simulated"];

/// List the runs, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings results list
  speed-kings results list --tag nightly --since 7d
  speed-kings results list --model '*llama*' --provider groq --limit 10
  speed-kings results list --out /data/results --output csv

Names, tags, targets, models and providers are compared whole, whatever their case; `*` stands for anything.
A terminal of less than 110 columns is shown the most important columns only; `--long` shows all.")]
pub(crate) struct Args {
    #[command(flatten)]
    filter: FilterArgs,

    /// What they are sorted by.
    #[arg(long, value_enum, default_value_t, value_name = "BY")]
    sort: Sort,

    /// The other way round.
    #[arg(long)]
    reverse: bool,

    /// So many at most.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Show name, id, end, machine and format too.
    #[arg(long)]
    long: bool,
}

/// Which runs are meant.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Which runs")]
pub(crate) struct FilterArgs {
    /// Name of the run, or of its folder.
    #[arg(long, value_name = "NAME", value_parser = pattern)]
    name: Option<Pattern>,

    /// A tag; given more than once, all of them.
    #[arg(long, value_name = "TAG", value_delimiter = ',', value_parser = pattern)]
    tag: Vec<Pattern>,

    /// Name of one of its targets.
    #[arg(long, value_name = "TARGET", value_parser = pattern)]
    target: Option<Pattern>,

    /// Model of one of its targets.
    #[arg(long, value_name = "MODEL", value_parser = pattern)]
    model: Option<Pattern>,

    /// Provider of one of its targets.
    #[arg(long, value_name = "PROVIDER", value_parser = pattern)]
    provider: Option<Pattern>,

    /// Text within the processor's or the system's name.
    #[arg(long, value_name = "TEXT")]
    machine: Option<String>,

    /// Where it stands.
    #[arg(long, value_name = "STATUS", value_enum)]
    status: Option<Standing>,

    /// Began then or later: a day of UTC, an instant, or an age such as `7d`.
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,

    /// Began before that, or on that day.
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,
}

/// Where a run stands, as one writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Standing {
    Running,
    Complete,
    Interrupted,
    Failed,
}

/// What runs are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Sort {
    /// When they began, newest first.
    #[default]
    Started,
    /// Their name, then newest first.
    Name,
    /// Requests, most first.
    Requests,
}

fn pattern(text: &str) -> Result<Pattern, Infallible> {
    text.parse()
}

impl FilterArgs {
    /// As a filter, with ages counted back from `now`.
    pub(crate) fn filter(&self, now: Timestamp) -> Filter {
        Filter {
            name: self.name.clone(),
            tags: self.tag.clone(),
            target: self.target.clone(),
            model: self.model.clone(),
            provider: self.provider.clone(),
            machine: self.machine.clone(),
            status: self.status.map(|status| match status {
                Standing::Running => Status::Running,
                Standing::Complete => Status::Complete,
                Standing::Interrupted => Status::Interrupted,
                Standing::Failed => Status::Failed,
            }),
            since: self.since.map(|when| when.begins(now)),
            until: self.until.map(|when| when.ends(now)),
        }
    }
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let mut entries = store::list(&shelf.out).map_err(Report::new)?;
    let all = entries.len();
    let filter = args.filter.filter(Timestamp::now());
    if !filter.is_empty() {
        entries.retain(|entry| entry.head.as_ref().is_ok_and(|head| filter.matches(&entry.folder, head)));
    }
    sort(&mut entries, args.sort);
    if args.reverse {
        entries.reverse();
    }
    entries.truncate(args.limit.unwrap_or(usize::MAX));
    let mut listing = listing(&entries, args.long);
    if context.output == Output::Table && !args.long && context.terminal.style().width < ROOMY {
        narrow(&mut listing);
    }
    context.print_listing(&listing)?;
    let out = shelf.out.display();
    if all == 0 {
        context.terminal.note(&format!("no runs in `{out}`; `speed-kings benchmark --mock` makes one"));
    } else if entries.is_empty() {
        context.terminal.note(&format!("`{out}` has {}, none like that; `*` stands for anything", counted(all, "run")));
    }
    Ok(Exit::Done)
}

fn sort(entries: &mut [Entry], by: Sort) {
    // They come newest first, and those that cannot be read last; sorting keeps that order among equals.
    match by {
        Sort::Started => {}
        Sort::Name => entries.sort_by_cached_key(|entry| {
            let head = entry.head.as_ref().ok();
            (head.is_none(), head.map_or_else(|| entry.folder.clone(), |head| head.name.to_lowercase()))
        }),
        Sort::Requests => {
            entries.sort_by_key(|entry| Reverse(entry.head.as_ref().ok().map(|head| head.requests.unwrap_or(0))));
        }
    }
}

const fn left(key: &'static str, heading: &'static str) -> Column {
    Column { key, heading, align: Align::Left }
}

fn listing(entries: &[Entry], long: bool) -> Listing {
    let mut columns = vec![
        left("run", "Run"),
        left("started", "Started"),
        left("status", "Status"),
        left("targets", "Targets"),
        left("models", "Models"),
        left("tags", "Tags"),
        Column { key: "requests", heading: "Requests", align: Align::Right },
        left("verdict", "Verdict"),
        left("simulated", "Simulated"),
    ];
    if long {
        columns.extend([
            left("name", "Name"),
            left("run_id", "Id"),
            left("ended", "Ended"),
            left("machine", "Machine"),
            left("format_version", "Format"),
        ]);
    }
    let rows = entries.iter().map(|entry| row(entry, long, columns.len())).collect();
    Listing { title: String::new(), columns, rows }
}

/// Leaves what a narrow terminal has room for.
fn narrow(listing: &mut Listing) {
    let keep: Vec<bool> = listing.columns.iter().map(|column| NARROW.contains(&column.key)).collect();
    for row in &mut listing.rows {
        let mut kept = keep.iter();
        row.retain(|_| kept.next() == Some(&true));
    }
    listing.columns.retain(|column| NARROW.contains(&column.key));
}

fn row(entry: &Entry, long: bool, width: usize) -> Vec<Cell> {
    let mut cells = vec![Cell::Text(entry.folder.clone())];
    match &entry.head {
        Ok(head) => {
            cells.extend(short_cells(head));
            if long {
                cells.extend(long_cells(head));
            }
        }
        Err(error) => {
            cells.extend([Cell::Empty, Cell::Text(format!("unreadable: {error}"))]);
            cells.resize(width, Cell::Empty);
        }
    }
    cells
}

fn short_cells(head: &Head) -> Vec<Cell> {
    let targets: Vec<&str> = head.targets.iter().map(|target| target.name.as_str()).collect();
    let models: BTreeSet<&str> = head.targets.iter().map(|target| target.model.as_str()).collect();
    let words = |words: Vec<&str>| if words.is_empty() { Cell::Empty } else { Cell::Text(words.join(", ")) };
    vec![
        moment(head.started),
        Cell::Text(head.status.in_words().to_owned()),
        words(targets),
        words(models.into_iter().collect()),
        words(head.tags.iter().map(String::as_str).collect()),
        head.requests.map_or(Cell::Empty, count),
        head.trust.map_or(Cell::Empty, |trust| Cell::Text(trust.in_words().to_owned())),
        Cell::Flag(head.simulated),
    ]
}

fn long_cells(head: &Head) -> Vec<Cell> {
    vec![
        Cell::Text(head.name.clone()),
        Cell::Text(head.run_id.clone()),
        head.ended.map_or(Cell::Empty, moment),
        Cell::Text(machine(&head.machine)),
        count(head.format_version.into()),
    ]
}

fn machine(machine: &Machine) -> String {
    format!("{}, {}, {}", machine.cpu, counted(machine.cores, "core"), machine.os)
}

fn moment(moment: Timestamp) -> Cell {
    Cell::Text(moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn count(number: u64) -> Cell {
    Cell::Number { shown: number.to_string(), value: number as f64 }
}

/// A size in bytes.
pub(crate) fn bytes(bytes: u64) -> Cell {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let power = units.len().min(1 + bytes.checked_ilog10().unwrap_or(0) as usize / 3) - 1;
    let scaled = bytes as f64 / 1000_f64.powi(i32::try_from(power).unwrap_or(0));
    let shown = if power == 0 { format!("{bytes} B") } else { format!("{scaled:.1} {}", units[power]) };
    Cell::Number { shown, value: bytes as f64 }
}

/// The baselines that hold on to runs: their names, by the id of the run.
///
/// # Errors
/// The baselines cannot be read: then nobody knows what may go.
pub(crate) fn kept_by_name(shelf: &Shelf) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let mut kept: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, baseline) in store::baselines(&shelf.out).map_err(Report::new)? {
        for run in baseline.runs {
            kept.entry(run.run_id).or_default().push(name.clone());
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_shows_less_and_each_cell_under_its_heading() {
        let head = Err(store::StoreError::SecretIsWord);
        let mut listing = listing(&[Entry { path: "r".into(), folder: "test_r".into(), head }], false);
        narrow(&mut listing);
        assert_eq!(listing.columns.iter().map(|column| column.key).collect::<Vec<_>>(), NARROW);
        let [run, status, rest @ ..] = listing.rows[0].as_slice() else { panic!("{listing:?}") };
        assert_eq!(run, &Cell::Text("test_r".into()));
        assert!(matches!(status, Cell::Text(text) if text.starts_with("unreadable: ")), "{status:?}");
        assert_eq!(rest, [Cell::Empty, Cell::Empty, Cell::Empty]);
    }
}
