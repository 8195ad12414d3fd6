//! Taking over what lies about: records without a manifest, and summaries that were written to a file.
//!
//! What a manifest would say is worked out from the records as far as they tell it; all that nobody can know any more is
//! named.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use schema::FORMAT_VERSION;
use schema::manifest::{Epoch, Machine, Manifest, Source, Status};
use schema::plan::{Load, Plan, PromptSource, Size, Stop, Workload};
use schema::record::{Phase, Record};
use schema::server::ServerSample;
use schema::summary::{Summary, TargetSummary};
use schema::target::{Target, TargetName};
use schema::text::Untrusted;
use schema::units::Moment;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::records::Records;
use crate::series::Series;
use crate::{
    BASELINES, Draft, JSON_BYTES, LINE_BYTES, MANIFEST, REQUESTS, RunDir, SERVER_METRICS, SIDE_LINE_BYTES, SUMMARY,
    StoreError, VOTES, disk, list,
};

/// Stands for what nobody knows any more.
const UNKNOWN: &str = "unknown";

/// Targets that one loose file may have.
const MOST_TARGETS: usize = 1_000;

/// A file or folder that can become a run.
#[derive(Debug)]
pub struct Loose {
    /// Where it lies.
    pub path: PathBuf,
    /// The id of the run it becomes: made of its bytes, so that it is the same every time.
    pub run_id: Uuid,
    /// Its numbers, where it holds numbers and no records.
    pub summary: Option<Box<Summary>>,
    /// What is not known about it, one sentence each.
    pub lacking: Vec<String>,
    manifest: Box<Manifest>,
    ended: Timestamp,
    form: Form,
}

/// How its records lie there.
#[derive(Debug)]
enum Form {
    /// One file, of any targets.
    File,
    /// A folder a target.
    Folder,
    /// There are none.
    NoRecords,
}

/// A loose file as a run in the making, not yet sealed.
#[derive(Debug)]
pub struct Adopted {
    /// The run in the making.
    pub draft: Draft,
    /// How it is taken to have ended.
    pub status: Status,
    /// When.
    pub ended: Timestamp,
    /// What is not known about it, and what could not be read.
    pub notes: Vec<String>,
}

/// What in the folder of results may have to be taken over: files of JSON that are no baselines, and folders of ours without
/// a manifest. Folders come first: they tell more than a file of the same records. Whether they hold anything is for
/// [`Loose::look`] to tell.
///
/// # Errors
/// When the folder cannot be read.
pub fn loose(out: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if !out.exists() {
        return Ok(Vec::new());
    }
    let fail = |e| StoreError::io("read the folder", out, e);
    let mut found = Vec::new();
    for entry in fs::read_dir(out).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let json = path.extension().is_some_and(|end| end == "json" || end == "jsonl");
        let a_file = json
            && name != BASELINES
            && name != VOTES
            && fs::symlink_metadata(&path).is_ok_and(|found| found.is_file());
        let a_folder = name.starts_with("test_") && disk::is_folder(&path) && !path.join(MANIFEST).exists();
        if a_file || a_folder {
            found.push(path);
        }
    }
    found.sort_by_cached_key(|path| (!path.is_dir(), path.clone()));
    Ok(found)
}

impl Loose {
    /// Looks at a file or folder, without changing anything.
    ///
    /// # Errors
    /// When it holds neither records nor a summary, or cannot be read.
    pub fn look(path: &Path) -> Result<Self, StoreError> {
        if disk::is_folder(path) {
            return of_folder(path);
        }
        let mut records = Series::<Record>::file(path.to_owned(), name_of(path), LINE_BYTES);
        let facts = gather(&mut records)?;
        if facts.is_empty() {
            return of_summary(path);
        }
        let told = told_beside(path);
        let told = move |name: &TargetName| told.as_ref().filter(|told| told.target == *name).cloned();
        of_records(path, Form::File, &[path.to_owned()], &facts, told)
    }

    /// The folder in `out` that already holds this, if it was taken over before.
    ///
    /// # Errors
    /// When `out` cannot be read.
    pub fn already(&self, out: &Path) -> Result<Option<PathBuf>, StoreError> {
        let id = self.run_id.to_string();
        let of_id = |entry: &crate::Entry| entry.head.as_ref().is_ok_and(|head| head.run_id == id);
        Ok(list(out)?.into_iter().find(of_id).map(|entry| entry.path))
    }

    /// Makes a run of it in `out`; the original stays as it is. `local` tells the local time of a moment, after which the
    /// folder is named.
    ///
    /// # Errors
    /// When it cannot be read any more, or the disk refuses.
    pub fn adopt(
        &self,
        out: &Path,
        program_version: &str,
        local: impl Fn(Timestamp) -> DateTime,
    ) -> Result<Adopted, StoreError> {
        let mut manifest = Manifest { program_version: program_version.to_owned(), ..(*self.manifest).clone() };
        out.clone_into(&mut manifest.plan.out);
        let mut draft = RunDir::draft(out, &manifest, local(manifest.epoch.wall), &[])?;
        let mut notes = self.lacking.clone();
        let mut writer = draft.directory().writer();
        match self.form {
            Form::File => {
                let mut records = Series::<Record>::file(self.path.clone(), name_of(&self.path), LINE_BYTES);
                for record in records.by_ref() {
                    writer.append(&record?)?;
                }
                notes.extend(records.problems());
            }
            Form::Folder => {
                for target in &manifest.plan.targets {
                    let mut records = Records::new(&self.path, &manifest.plan, target);
                    for record in records.by_ref() {
                        writer.append(&record?)?;
                    }
                    notes.extend(records.problems());
                    let mut samples =
                        Series::<ServerSample>::new(&self.path, &target.name, SERVER_METRICS, SIDE_LINE_BYTES);
                    for sample in samples.by_ref() {
                        writer.append_sample(&target.name, &sample?)?;
                    }
                    notes.extend(samples.problems());
                }
            }
            Form::NoRecords => {}
        }
        writer.flush()?;
        drop(writer);
        let status = if self.summary.is_some() { Status::Complete } else { Status::Interrupted };
        Ok(Adopted { draft, status, ended: self.ended, notes })
    }
}

/// What the records of one target tell.
#[derive(Debug, Default)]
struct Facts {
    measured: u64,
    warmup: u64,
    blocks: u32,
    max_tokens: u32,
    forced: bool,
    kept_text: bool,
    stepped: bool,
    /// When requests were in flight: starts up, ends down.
    flights: Vec<(Moment, i64)>,
    last: Moment,
}

impl Facts {
    fn note(&mut self, record: &Record) {
        match record.phase {
            Phase::Measured => self.measured += 1,
            Phase::Warmup => self.warmup += 1,
        }
        self.blocks = self.blocks.max(record.block.saturating_add(1));
        self.max_tokens = self.max_tokens.max(record.max_tokens);
        self.forced |= record.forced_length;
        self.kept_text |= record.output.is_some();
        self.stepped |= record.step > 0;
        let end = record.end_ns.or(record.start_ns).unwrap_or(record.scheduled_ns);
        self.last = self.last.max(end);
        if let Some(start) = record.start_ns {
            self.flights.extend([(start, 1), (end.max(start), -1)]);
        }
    }

    /// Requests in flight at once, at most; one at least.
    fn peak(&self) -> u32 {
        let mut steps = self.flights.clone();
        steps.sort_unstable();
        let (mut now, mut peak) = (0, 1);
        for (_, step) in steps {
            now += step;
            peak = peak.max(now);
        }
        u32::try_from(peak).unwrap_or(u32::MAX)
    }
}

fn gather(records: &mut Series<Record>) -> Result<BTreeMap<TargetName, Facts>, StoreError> {
    let mut facts: BTreeMap<TargetName, Facts> = BTreeMap::new();
    for record in records {
        let record = record?;
        if facts.len() < MOST_TARGETS || facts.contains_key(&record.target) {
            facts.entry(record.target.clone()).or_default().note(&record);
        }
    }
    Ok(facts)
}

fn of_folder(path: &Path) -> Result<Loose, StoreError> {
    let fail = |e| StoreError::io("read the folder", path, e);
    let mut targets: Vec<TargetName> = Vec::new();
    for entry in fs::read_dir(path).map_err(fail)? {
        let folder = entry.map_err(fail)?.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().parse();
        let holds = disk::is_folder(&folder) && folder.join(REQUESTS).exists();
        targets.extend(name.ok().filter(|_| holds && targets.len() < MOST_TARGETS));
    }
    targets.sort();
    let mut facts = BTreeMap::new();
    let mut files = Vec::new();
    for target in targets {
        let file = path.join(target.as_str()).join(REQUESTS);
        let name = format!("{target}/{REQUESTS}");
        let own = gather(&mut Series::file(file.clone(), name, LINE_BYTES))?.remove(&target);
        if let Some(own) = own {
            facts.insert(target, own);
            files.push(file);
        }
    }
    if facts.is_empty() {
        return Err(not_adoptable(path, "it holds no records and no summary"));
    }
    of_records(path, Form::Folder, &files, &facts, |name| told_beside(&path.join(name.as_str()).join(REQUESTS)))
}

/// The numbers that lie beside a file of records, which tell who was asked.
fn told_beside(records: &Path) -> Option<TargetSummary> {
    let path = records.with_file_name(SUMMARY);
    serde_json::from_slice(&disk::read(&path, JSON_BYTES).ok()?).ok()
}

fn of_records(
    path: &Path,
    form: Form,
    files: &[PathBuf],
    facts: &BTreeMap<TargetName, Facts>,
    told: impl Fn(&TargetName) -> Option<TargetSummary>,
) -> Result<Loose, StoreError> {
    let mut lacking = vec![
        "taken over from records without a manifest: the load, the workload, the seed and the machine are not known; what \
         the plan says of them was worked out from the records"
            .to_owned(),
        "when it began is not known: it is taken to have ended when the file was last written".to_owned(),
        "whether it was complete is not known".to_owned(),
    ];
    let mut targets = Vec::new();
    for (name, of_target) in facts {
        let told = told(name);
        if told.is_none() {
            lacking.push(format!("provider, model and price of `{name}`, and whether it is simulated, are not known"));
        }
        if of_target.stepped {
            lacking.push(format!("the steps of the search at `{name}` are not known: its levels are taken as one"));
        }
        targets.push(target(name, told.as_ref(), &mut lacking));
    }
    let all = || facts.values();
    let last = all().map(|facts| facts.last).max().unwrap_or_default();
    let stop = Stop::Requests(all().map(|facts| facts.measured).max().unwrap_or(0).max(1));
    let max_tokens = all().map(|facts| facts.max_tokens).max().unwrap_or(1);
    let force_length = all().any(|facts| facts.forced);
    let prompts = PromptSource::BuiltIn(Size::Short);
    let shape = Shape {
        workload: Workload { force_length, ..Workload::plain(prompts, max_tokens) },
        load: Load::Closed { concurrency: all().map(Facts::peak).max().unwrap_or(1) },
        stop,
        warmup: all().map(|facts| facts.warmup).max().unwrap_or(0),
        blocks: all().map(|facts| facts.blocks).max().unwrap_or(1).max(1),
        keep_text: all().any(|facts| facts.kept_text),
    };
    let print = Print::of(files)?;
    let ended = written(&files[0])?;
    let length = SignedDuration::from_nanos(i64::try_from(last.0).unwrap_or(i64::MAX));
    let began = ended.checked_sub(length).unwrap_or(ended);
    let manifest = manifest(run_name(path), targets, shape, began, &print);
    Ok(Loose { path: path.to_owned(), run_id: print.id, summary: None, lacking, manifest, ended, form })
}

fn of_summary(path: &Path) -> Result<Loose, StoreError> {
    let bytes = disk::read(path, JSON_BYTES)?;
    let refuse = |why: &serde_json::Error| {
        not_adoptable(
            path,
            &Untrusted::bounded(format!("it holds no records and no summary ({why})"), 300).for_terminal(),
        )
    };
    let mut tree: Value = serde_json::from_slice(&bytes).map_err(|e| refuse(&e))?;
    let mut lacking = vec![
        "taken over from a summary: there are no records, so its numbers cannot be made again or compared request by \
         request"
            .to_owned(),
        "when it began is not known: the time is that of the file".to_owned(),
    ];
    let known = |tree: &Value| serde_json::from_value::<Option<schema::comparison::Comparison>>(tree.clone()).is_ok();
    if tree.get("comparison").is_some_and(|comparison| !known(comparison)) {
        tree["comparison"] = Value::Null;
        lacking.push("its ranking is of an older format and left out".to_owned());
    }
    let mut summary: Summary = serde_json::from_value(tree).map_err(|e| refuse(&e))?;
    summary.format_version = FORMAT_VERSION;
    let mut names: Vec<&TargetName> = summary.targets.iter().map(|target| &target.target).collect();
    names.sort();
    if names.is_empty() || names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(not_adoptable(path, "it has no targets, or one of them twice"));
    }
    let targets = summary.targets.iter().map(|told| target(&told.target, Some(told), &mut lacking)).collect();
    let most = summary.targets.iter().map(|target| target.attempted).max().unwrap_or(1).max(1);
    let shape = Shape {
        workload: Workload::plain(PromptSource::BuiltIn(Size::Short), 1),
        load: Load::Closed { concurrency: 1 },
        stop: Stop::Requests(most),
        warmup: 0,
        blocks: 1,
        keep_text: false,
    };
    let print = Print::of(&[path.to_owned()])?;
    let ended = written(path)?;
    let mut manifest = manifest(summary.name.clone(), targets, shape, ended, &print);
    manifest.calibration.clone_from(&summary.calibration);
    let (path, summary) = (path.to_owned(), Some(Box::new(summary)));
    Ok(Loose { path, run_id: print.id, summary, lacking, manifest, ended, form: Form::NoRecords })
}

/// A target of which only the name is sure.
fn target(name: &TargetName, told: Option<&TargetSummary>, lacking: &mut Vec<String>) -> Target {
    // Ours are called so unless someone gave them another name.
    let by_name = name.as_str().ends_with("-sim");
    if told.is_none() && by_name {
        lacking.push(format!("`{name}` is taken for a simulated engine, by its name"));
    }
    let of = |field: fn(&TargetSummary) -> &String| told.map_or(UNKNOWN, |told| field(told));
    let nowhere = "http://unknown.invalid/".parse().expect("it is an address");
    let plain = Target::plain(name.clone(), of(|told| &told.provider), of(|told| &told.model), nowhere);
    Target { simulated: told.map_or(by_name, |told| told.simulated), ..plain }
}

/// What of a plan is worked out.
struct Shape {
    workload: Workload,
    load: Load,
    stop: Stop,
    warmup: u64,
    blocks: u32,
    keep_text: bool,
}

fn manifest(name: String, targets: Vec<Target>, shape: Shape, began: Timestamp, print: &Print) -> Box<Manifest> {
    let plan = Plan {
        warmup: shape.warmup,
        blocks: shape.blocks,
        keep_text: shape.keep_text,
        ..Plan::plain(name, targets, shape.workload, shape.load, shape.stop)
    };
    let epoch = Epoch { monotonic_ns: 0, wall: began };
    let machine = Machine { os: UNKNOWN.to_owned(), cpu: UNKNOWN.to_owned(), cores: 0, memory_bytes: 0 };
    let manifest = Manifest::begun(print.id, String::new(), plan, epoch, machine);
    Box::new(Manifest { sources: print.sources.clone(), ..manifest })
}

/// What tells the same files again.
struct Print {
    id: Uuid,
    sources: Vec<Source>,
}

impl Print {
    fn of(files: &[PathBuf]) -> Result<Self, StoreError> {
        let (mut all, mut sources) = (Sha256::new(), Vec::new());
        for file in files {
            let sha256 = disk::sha256(file)?;
            all.update(sha256.as_bytes());
            sources
                .push(Source::File { path: Untrusted::from(file.to_string_lossy().as_ref()).for_terminal(), sha256 });
        }
        let bytes = all.finalize();
        let first: [u8; 16] = std::array::from_fn(|place| bytes[place]);
        Ok(Self { id: Builder::from_custom_bytes(first).into_uuid(), sources })
    }
}

/// When a file was last written.
fn written(path: &Path) -> Result<Timestamp, StoreError> {
    let time = fs::metadata(path).and_then(|found| found.modified()).map_err(|e| StoreError::io("read", path, e))?;
    Ok(Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// What a run made of `path` is called: its name without what our folders have before and after it.
fn run_name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let stem = stem.strip_prefix("test_").unwrap_or(&stem);
    let parts: Vec<&str> = stem.split('_').collect();
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let date = parts.windows(2).position(|pair| digits(pair[0], 8) && digits(pair[1], 6));
    let name = date.map_or_else(|| stem.to_owned(), |at| parts[..at].join("_"));
    let name = Untrusted::bounded(name, 100).for_terminal();
    if name.is_empty() { "adopted".to_owned() } else { name }
}

fn name_of(path: &Path) -> String {
    Untrusted::bounded(path.file_name().unwrap_or_default().to_string_lossy().as_ref(), 120).for_terminal()
}

fn not_adoptable(path: &Path, why: &str) -> StoreError {
    StoreError::NotAdoptable { path: path.to_owned(), why: why.to_owned() }
}
