//! `results export`: a run for other programs.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use miette::Report;
use schema::target::{Target, TargetName};
use store::Run;
use tempfile::NamedTempFile;

use crate::commands::Context;
use crate::commands::stored::{Shelf, summary_of};
use crate::config::problem::Problem;
use crate::outcome::{Exit, Failure};

/// Write a run's requests or numbers for other programs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings results export latest --to requests.csv
  speed-kings results export latest --to summary.json
  speed-kings results export quick --format parquet --to /data/lake/
  speed-kings results export quick --format jsonl | jq .outcome")]
pub(super) struct Args {
    /// The run: `latest`, its folder, its name, or how any of these begin.
    #[arg(default_value = "latest")]
    run: String,

    /// A file, or a folder in which one is made and named after the run; stdout unless given.
    #[arg(long, value_name = "FILE|DIR")]
    to: Option<PathBuf>,

    /// The form; that of the file's ending unless given, else csv.
    #[arg(long, value_enum, value_name = "FORM")]
    format: Option<Format>,

    /// One target alone.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,

    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One row a request with its facts and figures, for spreadsheets.
    Csv,
    /// The run's numbers, as `results show --output json` prints them.
    Json,
    /// One record a line, as it is kept.
    Jsonl,
    /// The records as a table, one file a target.
    Parquet,
}

impl Format {
    const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        [Self::Csv, Self::Json, Self::Jsonl, Self::Parquet].into_iter().find(|format| format.ending() == ending)
    }
}

/// What is exported of a run.
struct Export<'a> {
    run: &'a Run,
    targets: Vec<&'a Target>,
    format: Format,
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let run = shelf.open(&args.run, context)?;
    let format = args.format.or_else(|| Format::of(args.to.as_deref()?)).unwrap_or(Format::Csv);
    let targets = targets(&run, args.target.as_deref())?;
    let export = Export { run: &run, targets, format };
    let Some(to) = &args.to else { return export.to_stdout(context) };
    for (file, targets) in export.files(to)? {
        let written = write_file(&file, args.force, |out| export.write(&targets, out, context))?;
        context.terminal.note(&format!("wrote `{}`, {written} bytes", file.display()));
    }
    Ok(Exit::Done)
}

fn targets<'a>(run: &'a Run, wanted: Option<&str>) -> Result<Vec<&'a Target>, Failure> {
    let all = &run.manifest.plan.targets;
    let found: Vec<&Target> =
        all.iter().filter(|target| wanted.is_none_or(|wanted| target.name.as_str() == wanted)).collect();
    if found.is_empty() {
        let names: Vec<String> = all.iter().map(|target| format!("`{}`", target.name)).collect();
        let problem = Problem::new(format!("the run has no target `{}`", wanted.unwrap_or_default()));
        return Err(problem.help(format!("it has {}", names.join(", "))).into());
    }
    Ok(found)
}

impl<'a> Export<'a> {
    fn to_stdout(&self, context: &Context) -> Result<Exit, Failure> {
        if self.format == Format::Parquet {
            return Err(Problem::new("Parquet is no text").help("name a file or a folder with `--to`").into());
        }
        let mut out = BufWriter::new(io::stdout().lock());
        match self.write(&self.targets, &mut out, context).and_then(|()| out.flush().map_err(refused)) {
            Err(error) if error.is_gone => Ok(Exit::Done),
            result => result.map(|()| Exit::Done).map_err(|error| error.failure),
        }
    }

    /// The files to make, each with the targets in it.
    fn files(&self, to: &Path) -> Result<Vec<(PathBuf, Vec<&'a Target>)>, Failure> {
        let folder = to.is_dir() || to.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]);
        let ending = self.format.ending();
        let name = self.run.path.canonicalize().unwrap_or_else(|_| self.run.path.clone());
        let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match (folder, self.format == Format::Parquet, self.targets.as_slice()) {
            (true, true, targets) => {
                let file = |target: &&'a Target| (to.join(format!("{name}-{}.{ending}", target.name)), vec![*target]);
                Ok(targets.iter().map(file).collect())
            }
            (true, false, targets) => Ok(vec![(to.join(format!("{name}.{ending}")), targets.to_vec())]),
            (false, true, [_, _, ..]) => {
                let problem = Problem::new("a Parquet file holds one target, and the run has several");
                Err(problem.help("name a folder, as in `--to exports/`, or one of them with `--target`").into())
            }
            (false, _, targets) => Ok(vec![(to.to_owned(), targets.to_vec())]),
        }
    }

    fn write(&self, targets: &[&Target], out: &mut dyn Write, context: &Context) -> Result<(), Refused> {
        match self.format {
            Format::Csv => {
                out.write_all(report::csv_requests_heading().as_bytes()).map_err(refused)?;
                self.each_record(targets, context, |target, record| {
                    let row = report::csv_request(&self.run.manifest.plan.name, target, record);
                    out.write_all(row.as_bytes()).map_err(refused)
                })
            }
            Format::Jsonl => self.each_record(targets, context, |_, record| {
                serde_json::to_writer(&mut *out, record).map_err(|error| refused(error.into()))?;
                out.write_all(b"\n").map_err(refused)
            }),
            Format::Json => {
                let mut summary = summary_of(self.run, context)?;
                let wanted = |name: &TargetName| targets.iter().any(|target| target.name == *name);
                summary.targets.retain(|summary| wanted(&summary.target));
                summary.curves.retain(|curve| wanted(&curve.target));
                // A ranking without those it ranks against would be none.
                summary.comparison = summary.comparison.filter(|_| targets.len() == self.run.targets().count());
                out.write_all(report::json(&summary).as_bytes()).map_err(refused)
            }
            Format::Parquet => {
                for target in targets {
                    let mut table = self.run.table(&target.name).map_err(|error| Failure::from(Report::new(error)))?;
                    io::copy(&mut table, out).map_err(refused)?;
                }
                Ok(())
            }
        }
    }

    /// Every record of `targets`, and what could not be read of them.
    fn each_record(
        &self,
        targets: &[&Target],
        context: &Context,
        mut take: impl FnMut(&Target, &schema::record::Record) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        for target in targets {
            let mut records = self.run.records(&target.name).map_err(|error| Failure::from(Report::new(error)))?;
            for record in records.by_ref() {
                take(target, &record.map_err(|error| Failure::from(Report::new(error)))?)?;
            }
            context.terminal.note_all(&records.problems());
        }
        Ok(())
    }
}

/// Why an export broke off.
struct Refused {
    failure: Failure,
    /// The reader went away, as `head` does.
    is_gone: bool,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, is_gone: false }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn refused(error: io::Error) -> Refused {
    let is_gone = error.kind() == io::ErrorKind::BrokenPipe;
    Refused { failure: miette::miette!("the export cannot be written: {error}").into(), is_gone }
}

/// Makes a file all at once: it is there whole, or not at all. Returns its size.
fn write_file(
    file: &Path,
    force: bool,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Refused>,
) -> Result<u64, Failure> {
    let cannot = |error: &io::Error| Failure::from(miette::miette!("`{}` cannot be written: {error}", file.display()));
    if !force && file.symlink_metadata().is_ok() {
        let problem = Problem::new(format!("`{}` is there already", file.display()));
        return Err(problem.help("name another file, or replace it with `--force`").into());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| cannot(&error))?;
    let mut temporary = NamedTempFile::new_in(folder).map_err(|error| cannot(&error))?;
    let mut out = BufWriter::new(temporary.as_file_mut());
    write(&mut out).map_err(|refused| refused.failure)?;
    out.flush().map_err(|error| cannot(&error))?;
    drop(out);
    let bytes = temporary.as_file().metadata().map_or(0, |found| found.len());
    temporary.as_file().sync_all().map_err(|error| cannot(&error))?;
    open_to_all(temporary.as_file()).map_err(|error| cannot(&error))?;
    let kept = if force { temporary.persist(file) } else { temporary.persist_noclobber(file) };
    kept.map_err(|error| cannot(&error.error))?;
    Ok(bytes)
}

/// Temporary files are for their owner alone; an export is a file like any other.
#[cfg(unix)]
fn open_to_all(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_all(_: &fs::File) -> io::Result<()> {
    Ok(())
}
