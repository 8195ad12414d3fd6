//! `cleanup`: removes old runs, and never those that someone still needs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use miette::Report;
use report::{Align, Cell, Column, Listing};
use schema::counted;
use schema::manifest::Status;
use store::{Entry, Head};

use crate::args::when::Age;
use crate::commands::Context;
use crate::commands::results::{FilterArgs, bytes, kept_by_name};
use crate::commands::stored::Shelf;
use crate::outcome::{Exit, Failure};

/// Runs with this tag are never cleaned up.
const KEEP: &str = "keep";

/// Remove old runs; baselines, runs tagged `keep` and runs that have not ended stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings cleanup --keep 20 --dry-run
  speed-kings cleanup --older-than 30d --name 'quick*' --yes
  speed-kings cleanup --keep 5 --older-than 2w --tag nightly

With both, a run goes that is neither among the newest nor young enough.")]
#[group(id = "how_many", required = true, multiple = true, args = ["keep", "older_than"])]
pub(crate) struct Args {
    /// Keep so many of the newest of the runs that are meant.
    #[arg(long, value_name = "N")]
    keep: Option<usize>,

    /// Only what began longer ago: `30d`, `12h`, `2w`.
    #[arg(long, value_name = "AGE")]
    older_than: Option<Age>,

    /// Only tell what would go.
    #[arg(long)]
    dry_run: bool,

    /// Do not ask.
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    shelf: Shelf,
}

/// What becomes of one folder.
struct Fate {
    path: PathBuf,
    name: String,
    started: Option<Timestamp>,
    bytes: u64,
    /// Why it stays though it is old; `None`: it goes.
    spared: Option<String>,
    /// What is left of a run that was being made or removed when the program died.
    leftover: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let fates = fates(args, Timestamp::now())?;
    let going: Vec<&Fate> = fates.iter().filter(|fate| fate.spared.is_none()).collect();
    let size: u64 = going.iter().map(|fate| fate.bytes).sum();
    let told = format!("{} of {}", counted(going.len(), "folder"), shown(size));
    context.print_listing(&listing(&fates))?;
    if going.is_empty() {
        context.terminal.note("nothing goes");
        return Ok(Exit::Done);
    }
    if args.dry_run {
        context.terminal.note(&format!("{told} would be removed"));
        return Ok(Exit::Done);
    }
    if !context.terminal.confirm(&format!("remove {told} for good?"), args.yes)? {
        context.terminal.note("nothing was removed");
        return Ok(Exit::Done);
    }
    let mut exit = Exit::Done;
    for fate in going {
        let remove = if fate.leftover { store::remove_leftover } else { store::remove };
        if let Err(error) = remove(&args.shelf.out, &fate.path) {
            context.terminal.complain(&Report::new(error));
            exit = Exit::Failed;
        }
    }
    if exit == Exit::Done {
        context.terminal.note(&format!("removed {told}"));
    }
    Ok(exit)
}

/// What becomes of each folder that is old enough to go, newest first.
fn fates(args: &Args, now: Timestamp) -> Result<Vec<Fate>, Failure> {
    let filter = args.filter.filter(now);
    let entries = store::list(&args.shelf.out).map_err(Report::new)?;
    let baselines = kept_by_name(&args.shelf)?;
    let readable = |entry: Entry| Some((entry.path, entry.folder, entry.head.ok()?));
    let meant = entries.into_iter().filter_map(readable).filter(|(_, folder, head)| filter.matches(folder, head));
    let oldest = args.older_than.map(|age| age.before(now));
    let mut fates: Vec<Fate> = meant
        .enumerate()
        .filter(|(place, (_, _, head))| {
            args.keep.is_none_or(|keep| *place >= keep) && oldest.is_none_or(|oldest| head.started < oldest)
        })
        .map(|(_, (path, name, head))| {
            let spared = reason_to_stay(&path, &head, &baselines);
            let bytes = store::bytes_of(&path);
            Fate { path, name, started: Some(head.started), bytes, spared, leftover: false }
        })
        .collect();
    for path in store::leftovers(&args.shelf.out).map_err(Report::new)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        fates.push(Fate { name, started: None, bytes: store::bytes_of(&path), spared: None, leftover: true, path });
    }
    Ok(fates)
}

fn reason_to_stay(path: &std::path::Path, head: &Head, baselines: &BTreeMap<String, Vec<String>>) -> Option<String> {
    if head.tags.iter().any(|tag| tag == KEEP) {
        return Some(format!("it has the tag `{KEEP}`"));
    }
    if let Some(names) = baselines.get(&head.run_id) {
        return Some(format!("a baseline: {}", names.join(", ")));
    }
    if path.is_symlink() {
        return Some("a link".to_owned());
    }
    let going_on = head.status == Status::Running;
    going_on.then(|| {
        let killed = "it has not ended; if it was killed, `speed-kings reprocess` ends it";
        if store::is_going_on(path) { "it is going on" } else { killed }.to_owned()
    })
}

fn listing(fates: &[Fate]) -> Listing {
    let column = |key, heading, align| Column { key, heading, align };
    let columns = vec![
        column("run", "Run", Align::Left),
        column("started", "Started", Align::Left),
        column("bytes", "Size", Align::Right),
        column("goes", "Goes", Align::Left),
        column("why", "Why", Align::Left),
    ];
    let row = |fate: &Fate| {
        let why = match &fate.spared {
            Some(why) => Some(why.clone()),
            None => fate.leftover.then(|| "left behind when the program died".to_owned()),
        };
        vec![
            Cell::Text(fate.name.clone()),
            fate.started.map_or(Cell::Empty, |at| Cell::Text(at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())),
            bytes(fate.bytes),
            Cell::Flag(fate.spared.is_none()),
            why.map_or(Cell::Empty, Cell::Text),
        ]
    };
    Listing { title: String::new(), columns, rows: fates.iter().map(row).collect() }
}

fn shown(size: u64) -> String {
    match bytes(size) {
        Cell::Number { shown, .. } => shown,
        _ => String::new(),
    }
}
