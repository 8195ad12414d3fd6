//! What later runs are held against: names for runs, kept in the folder of results.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use schema::target::TargetName;
use schema::text::Untrusted;
use serde::{Deserialize, Serialize};

use crate::run::{parse, read_manifest};
use crate::{MANIFEST, StoreError, disk, list};

/// The file in the folder of results that holds all baselines.
pub const BASELINES: &str = "baselines.json";

/// Version of that file.
const VERSION: u32 = 1;
/// It has at most this many bytes.
const BYTES: u64 = 4 << 20;
/// Baselines that one folder may hold.
const MOST: usize = 1_000;
/// Runs that one baseline may have.
const MOST_RUNS: usize = 100;
/// Bytes of a baseline's name, and of a folder's or a run's.
const LONGEST_NAME: usize = 255;

/// Runs that later ones are held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// At least one; several tell how much runs differ from each other.
    pub runs: Vec<BaselineRun>,
    /// The one target that counts; all of them where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetName>,
}

/// One run of a baseline: found by its id, however its folder is called by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineRun {
    /// The run's id, as its manifest has it.
    pub run_id: String,
    /// Its folder when the baseline was set, within the folder of results.
    pub folder: String,
}

/// The file as it stands on disk.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    format_version: u32,
    baselines: BTreeMap<String, Baseline>,
}

/// The one field that every version of the file has.
#[derive(Deserialize)]
struct Head {
    format_version: u64,
}

/// The baselines kept in the folder `out`, by name; none where there is no such folder.
///
/// # Errors
/// When the file is there but cannot be read or understood, or was written by a newer program.
pub fn baselines(out: &Path) -> Result<BTreeMap<String, Baseline>, StoreError> {
    let path = out.join(BASELINES);
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let bytes = disk::read(&path, BYTES)?;
    let Head { format_version: found } = parse(&path, &bytes)?;
    if found > u64::from(VERSION) {
        return Err(StoreError::TooNew { path, found, known: VERSION });
    }
    Ok(parse::<Kept>(&path, &bytes)?.baselines)
}

/// Keeps `baseline` under `name`, in place of what was there.
///
/// # Errors
/// When the name or the number of runs will not do, when there are too many baselines, or when the disk refuses.
pub fn set_baseline(out: &Path, name: &str, baseline: Baseline) -> Result<(), StoreError> {
    let refuse = |why: &str| StoreError::BaselineRefused { name: short(name), why: why.to_owned() };
    if name.is_empty() || name.len() > LONGEST_NAME || Untrusted::from(name).for_terminal() != name {
        return Err(refuse("a name has 1 to 255 printable characters"));
    }
    if baseline.runs.is_empty() || baseline.runs.len() > MOST_RUNS {
        return Err(refuse("a baseline has 1 to 100 runs"));
    }
    change(out, |kept| {
        kept.insert(name.to_owned(), baseline);
        if kept.len() > MOST { Err(refuse("there are 1,000 baselines already")) } else { Ok(()) }
    })
}

/// Forgets the baseline `name`; its runs stay. Returns what it was.
///
/// # Errors
/// When there is none of that name, or the disk refuses.
pub fn remove_baseline(out: &Path, name: &str) -> Result<Baseline, StoreError> {
    change(out, |kept| kept.remove(name).ok_or_else(|| no_baseline(name, kept)))
}

/// The error that there is no baseline `name` among `known`: it names the nearest.
pub fn no_baseline(name: &str, known: &BTreeMap<String, Baseline>) -> StoreError {
    let likeness = |other: &&String| strsim::jaro_winkler(other, name);
    let nearest =
        known.keys().filter(|other| likeness(other) > 0.75).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let advice = match nearest {
        Some(other) => format!("did you mean `{}`?", short(other)),
        None => "`speed-kings baseline set NAME RUN` makes one; `speed-kings baseline show` lists them".to_owned(),
    };
    StoreError::NoBaseline { name: short(name), advice }
}

/// The folders of a baseline's runs, in its order; `None` for a run that is gone from the folder `out`.
///
/// # Errors
/// When `out` cannot be read.
pub fn baseline_folders(out: &Path, baseline: &Baseline) -> Result<Vec<Option<PathBuf>>, StoreError> {
    let mut elsewhere: Option<BTreeMap<String, PathBuf>> = None;
    let mut folders = Vec::new();
    for run in &baseline.runs {
        if let Some(folder) = where_it_was(out, run) {
            folders.push(Some(folder));
            continue;
        }
        let by_id = match &elsewhere {
            Some(by_id) => by_id,
            None => elsewhere.insert(by_id(out)?),
        };
        folders.push(by_id.get(&run.run_id).cloned());
    }
    Ok(folders)
}

/// The folder a run had, if it is still that run's.
fn where_it_was(out: &Path, run: &BaselineRun) -> Option<PathBuf> {
    let folder = disk::inside(out, &run.folder).ok()?;
    let there = folder.join(MANIFEST).exists();
    (there && read_manifest(&folder).ok()?.run_id.to_string() == run.run_id).then_some(folder)
}

fn by_id(out: &Path) -> Result<BTreeMap<String, PathBuf>, StoreError> {
    let readable = list(out)?.into_iter().filter_map(|entry| Some((entry.head.ok()?.run_id, entry.path)));
    Ok(readable.collect())
}

/// Reads, changes and replaces the file, while nobody else does.
fn change<T>(
    out: &Path,
    change: impl FnOnce(&mut BTreeMap<String, Baseline>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    disk::make_folder(out)?;
    let lock = lock(out)?;
    let mut kept = Kept { format_version: VERSION, baselines: baselines(out)? };
    let result = change(&mut kept.baselines)?;
    let mut json =
        serde_json::to_vec_pretty(&kept).map_err(|source| StoreError::Json { what: "the baselines", source })?;
    json.push(b'\n');
    disk::replace(&out.join(BASELINES), &json)?;
    drop(lock);
    Ok(result)
}

/// Two programs that set baselines at once take turns, where the system can lock a folder.
fn lock(out: &Path) -> Result<Option<File>, StoreError> {
    if !cfg!(unix) {
        return Ok(None);
    }
    let folder = File::open(out).map_err(|e| StoreError::io("open the folder", out, e))?;
    folder.lock().map_err(|e| StoreError::io("lock the folder", out, e))?;
    Ok(Some(folder))
}

/// Enough of a name for a message.
fn short(name: &str) -> String {
    Untrusted::bounded(name, 120).for_terminal()
}
