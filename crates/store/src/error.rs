//! Why a run could not be kept or read.

use std::io;
use std::path::{Path, PathBuf};

use schema::record::Phase;
use schema::target::TargetName;

/// Why a run could not be kept or read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot {action} `{}`", path.display())]
    #[diagnostic(code(store::io), help("{advice}"))]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What a person can do about it.
        advice: &'static str,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The folder holds no manifest.
    #[error("`{}` is not a run: it has no manifest.json", path.display())]
    #[diagnostic(
        code(store::not_a_run),
        help("name a folder that a benchmark wrote; `speed-kings results list` lists them")
    )]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// A JSON file of a run does not say what it should.
    #[error("`{}` cannot be understood: {why}", path.display())]
    #[diagnostic(
        code(store::not_understood),
        help("restore the file from a copy; the records in `*/requests.jsonl` can still be read on their own")
    )]
    NotUnderstood {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, cleaned for a terminal.
        why: String,
    },
    /// The run was written by a newer program.
    #[error("`{}` has format version {found}; this program reads up to {known}", path.display())]
    #[diagnostic(code(store::too_new), help("open it with the version of speed-kings that wrote it, or a newer one"))]
    TooNew {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest we know.
        known: u32,
    },
    /// A file is larger than such a file can be.
    #[error("`{}` is larger than {limit} bytes", path.display())]
    #[diagnostic(code(store::too_large), help("the file is damaged or not of our making; restore it from a copy"))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What it may have.
        limit: u64,
    },
    /// A record needs a longer line than readers accept. Nothing was written; the writer goes on.
    #[error("the record of {} request {index} to `{target}` needs {bytes} bytes, more than {limit}", phase_in_words(*phase))]
    #[diagnostic(
        code(store::record_too_large),
        help("do not keep generated text, or lower the bound on response bodies")
    )]
    RecordTooLarge {
        /// Whose.
        target: TargetName,
        /// Which phase.
        phase: Phase,
        /// Which request.
        index: u64,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A step or a reading of metrics needs a longer line than readers accept. Nothing was written; the
    /// writer goes on.
    #[error("a {what} of `{target}` needs {bytes} bytes, more than {limit}")]
    #[diagnostic(
        code(store::line_too_large),
        help("if it is the metrics page that is so long, read another page or none: `metrics_url`, `--scrape`")
    )]
    LineTooLarge {
        /// What it was.
        what: &'static str,
        /// Whose.
        target: TargetName,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// Two targets, or a target and a file of the run, would share one place on disk.
    #[error("target `{name}` cannot have a folder of that name in a run")]
    #[diagnostic(
        code(store::taken_name),
        help("rename the target: `{other}` is already there, and upper and lower case do not tell folders apart")
    )]
    TakenName {
        /// The target.
        name: TargetName,
        /// What is there.
        other: String,
    },
    /// A record or summary names a target the run does not have.
    #[error("`{name}` is not a target of this run")]
    #[diagnostic(code(store::unknown_target), help("use one of the targets in the manifest's plan"))]
    UnknownTarget {
        /// The name.
        name: TargetName,
    },
    /// A path that would leave the run's folder, or replace a file the store keeps itself.
    #[error("`{path}` cannot be a file of a run")]
    #[diagnostic(code(store::unsafe_path), help("use a relative path such as `summary.csv` or `reports/report.html`"))]
    UnsafePath {
        /// The path.
        path: String,
    },
    /// So many runs of one name began in one second that no folder is left.
    #[error("every folder from `{}` on is taken", path.display())]
    #[diagnostic(code(store::no_free_folder), help("give the run another name, or another folder with `--out`"))]
    NoFreeFolder {
        /// The first name tried.
        path: PathBuf,
    },
    /// A secret is also a word of the file format, so that hiding it would break the file.
    #[error("an API key of this run is also a word of its files, so it cannot be hidden in them")]
    #[diagnostic(code(store::secret_is_word), help("unset the key if it is a placeholder, or use another"))]
    SecretIsWord,
    /// A run cannot be sealed while it goes on.
    #[error("a run is not sealed with the status `running`")]
    #[diagnostic(code(store::not_an_end), help("seal it as complete, interrupted or failed"))]
    NotAnEnd,
    /// A value cannot be written as JSON.
    #[error("cannot write `{what}` as JSON")]
    #[diagnostic(code(store::json), help("report this: it is a fault of the program"))]
    Json {
        /// What it was.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A Parquet file could not be made or read.
    #[error("cannot work on the Parquet file `{}`", path.display())]
    #[diagnostic(
        code(store::parquet),
        help("check that the disk has space; the same facts are in requests.jsonl beside it")
    )]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// The run is still going on, or another program is at work on it.
    #[error("`{}` is still at work: a program has it open", path.display())]
    #[diagnostic(code(store::going_on), help("wait until it has ended, or stop it"))]
    GoingOn {
        /// The run's folder.
        path: PathBuf,
    },
    /// The run is not one of those in the folder of results, or only a link to one.
    #[error("`{}` is no run of its own in `{}`", path.display(), out.display())]
    #[diagnostic(
        code(store::not_in_results),
        help(
            "runs are removed from the folder of results only, and links are not followed; `--out` names that folder"
        )
    )]
    NotInResults {
        /// What was named.
        path: PathBuf,
        /// The folder of results.
        out: PathBuf,
    },
    /// A folder of the run is a link to somewhere else.
    #[error("`{}` is a link, or no folder", path.display())]
    #[diagnostic(code(store::linked), help("nothing is written through links: put the folder itself in its place"))]
    Linked {
        /// The folder.
        path: PathBuf,
    },
    /// The run has numbers and no records.
    #[error("`{}` has no records: its numbers cannot be made anew", path.display())]
    #[diagnostic(code(store::no_records), help("its numbers stay as they are"))]
    NoRecords {
        /// The run's folder.
        path: PathBuf,
    },
    /// Records that were sealed with the run are gone.
    #[error("`{path}` of `{}` is gone: numbers made anew would lack what it told", run.display())]
    #[diagnostic(
        code(store::records_gone),
        help("restore the file from a copy; until then the numbers stay as they are")
    )]
    RecordsGone {
        /// The run's folder.
        run: PathBuf,
        /// The first of the files, within the run; cleaned for a terminal.
        path: String,
    },
    /// Runs that were to become one are not alike.
    #[error("the runs cannot become one: {}", differences.join("; "))]
    #[diagnostic(
        code(store::unlike),
        help(
            "only runs that asked the same of the same targets can be merged; `speed-kings compare` holds unlike ones against each other"
        )
    )]
    Unlike {
        /// What they differ in, one sentence each.
        differences: Vec<String>,
    },
    /// A file holds nothing that can become a run.
    #[error("`{}` cannot become a run: {why}", path.display())]
    #[diagnostic(
        code(store::not_adoptable),
        help(
            "records (`requests.jsonl`), a summary written with `--output json`, and folders that hold such are taken over"
        )
    )]
    NotAdoptable {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// No run goes by that name.
    #[error("no run in `{}` is called `{wanted}`", out.display())]
    #[diagnostic(code(store::not_found), help("{advice}"))]
    NotFound {
        /// Where we looked.
        out: PathBuf,
        /// What was asked for.
        wanted: String,
        /// The nearest name, or what to do.
        advice: String,
    },
    /// Several runs go by that name.
    #[error("`{wanted}` could be any of {count} runs in `{}`", out.display())]
    #[diagnostic(code(store::ambiguous), help("write more of its name: {candidates}"))]
    Ambiguous {
        /// Where we looked.
        out: PathBuf,
        /// What was asked for.
        wanted: String,
        /// How many there are.
        count: usize,
        /// The newest of them.
        candidates: String,
    },
    /// No baseline goes by that name.
    #[error("no baseline is called `{name}`")]
    #[diagnostic(code(store::no_baseline), help("{advice}"))]
    NoBaseline {
        /// What was asked for.
        name: String,
        /// The nearest name, or what to do.
        advice: String,
    },
    /// A baseline that cannot be kept.
    #[error("`{name}` cannot be a baseline: {why}")]
    #[diagnostic(
        code(store::baseline_refused),
        help("choose another name or other runs; `speed-kings baseline rm NAME` makes room")
    )]
    BaselineRefused {
        /// Its name.
        name: String,
        /// Why not.
        why: String,
    },
}

const fn phase_in_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Warmup => "warm-up",
        Phase::Measured => "measured",
    }
}

impl StoreError {
    /// Wraps a refusal of the file system with what was tried, where, and what helps.
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let advice = match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space, or choose a folder on another disk with `--out`; what was written before is intact"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "choose a folder you may write to with `--out`, or change its permissions"
            }
            io::ErrorKind::NotFound => "check the path; `speed-kings results list` lists the runs there are",
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                "a file is in the way: move it, or choose another folder with `--out`"
            }
            _ => "check the disk and the path, then try again",
        };
        Self::Io { action, path: path.to_owned(), advice, source }
    }
}
