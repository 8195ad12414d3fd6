//! Finding runs among folders.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schema::manifest::{Epoch, Machine, Status};
use schema::summary::Trust;
use schema::target::TargetName;
use serde::Deserialize;

use crate::run::manifest_as;
use crate::{MANIFEST, StoreError};

/// One folder of results.
#[derive(Debug)]
pub struct Entry {
    /// The folder.
    pub path: PathBuf,
    /// Its name.
    pub folder: String,
    /// What its manifest says, or why that cannot be read.
    pub head: Result<Head, StoreError>,
}

/// What a manifest says of a run, for a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// Version of the format it was sealed in.
    pub format_version: u32,
    /// The run's name as it was given.
    pub name: String,
    /// The run's id.
    pub run_id: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Where it stands.
    pub status: Status,
    /// Who was asked, in the plan's order.
    pub targets: Vec<HeadTarget>,
    /// Whether any target is simulated.
    pub simulated: bool,
    /// The machine that measured.
    pub machine: Machine,
    /// Words that people put on it.
    pub tags: Vec<String>,
    /// Requests recorded, warm-up included; known once sealed.
    pub requests: Option<u64>,
    /// The verdict on it.
    pub trust: Option<Trust>,
}

/// One target of a run, for a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HeadTarget {
    /// Its name.
    pub name: TargetName,
    /// Its provider.
    pub provider: String,
    /// Its model.
    pub model: String,
}

/// The few fields of a manifest that a list shows; all others are passed over unread.
#[derive(Deserialize)]
struct Slim {
    format_version: u32,
    run_id: String,
    status: Status,
    plan: SlimPlan,
    simulated: bool,
    epoch: Epoch,
    #[serde(default)]
    ended: Option<Timestamp>,
    machine: Machine,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    requests: Option<u64>,
    #[serde(default)]
    quality: Option<SlimQuality>,
}

#[derive(Deserialize)]
struct SlimPlan {
    name: String,
    targets: Vec<HeadTarget>,
}

#[derive(Deserialize)]
struct SlimQuality {
    trust: Trust,
}

impl From<Slim> for Head {
    fn from(slim: Slim) -> Self {
        Self {
            format_version: slim.format_version,
            name: slim.plan.name,
            run_id: slim.run_id,
            started: slim.epoch.wall,
            ended: slim.ended,
            status: slim.status,
            targets: slim.plan.targets,
            simulated: slim.simulated,
            machine: slim.machine,
            tags: slim.tags,
            requests: slim.requests,
            trust: slim.quality.map(|quality| quality.trust),
        }
    }
}

/// The runs in the folder `out`, newest first, then those whose manifest cannot be read. Reads
/// nothing but manifests. A folder that does not exist holds no runs.
///
/// # Errors
/// When `out` itself cannot be read.
pub fn list(out: &Path) -> Result<Vec<Entry>, StoreError> {
    let fail = |e| StoreError::io("read the folder", out, e);
    let folders = match fs::read_dir(out) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        folders => folders.map_err(fail)?,
    };
    let mut entries = Vec::new();
    for folder in folders {
        let path = folder.map_err(fail)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours = name.starts_with("test_") || path.join(MANIFEST).exists();
        if ours && !name.starts_with('.') && path.is_dir() {
            entries.push(Entry { head: head(&path), path, folder: name });
        }
    }
    entries.sort_by_cached_key(|e| Reverse((e.head.as_ref().ok().map(|h| h.started), e.folder.clone())));
    Ok(entries)
}

/// What the manifest of the run in `folder` says, for a list.
///
/// # Errors
/// When it is not there, cannot be understood, or is of a newer format.
pub fn head(folder: &Path) -> Result<Head, StoreError> {
    manifest_as(folder, |slim: &Slim| slim.format_version).map(Head::from)
}

/// The folder of the run that `wanted` names: `latest`, a path, a folder's name, a run's name (its
/// newest), or how any of these or a run's id begin, with or without `test_`.
///
/// # Errors
/// When there is none (the nearest name is told) or the beginning fits several.
pub fn find(out: &Path, wanted: &str) -> Result<PathBuf, StoreError> {
    let as_path = Path::new(wanted);
    if !wanted.is_empty() && as_path.join(MANIFEST).exists() {
        return Ok(as_path.to_owned());
    }
    find_among(&list(out)?, out, wanted)
}

/// As [`find`], for what cannot be undone: a name that several runs have is no name of its newest.
///
/// # Errors
/// As [`find`], and when several runs have the name.
pub fn find_only(out: &Path, wanted: &str) -> Result<PathBuf, StoreError> {
    let found = find(out, wanted)?;
    let entries = list(out)?;
    let named: Vec<&Entry> =
        entries.iter().filter(|entry| entry.head.as_ref().is_ok_and(|head| head.name == wanted)).collect();
    let by_name = named.len() > 1 && named.iter().any(|entry| entry.path == found && entry.folder != wanted);
    if by_name { Err(ambiguous(out, wanted, &named)) } else { Ok(found) }
}

fn find_among(entries: &[Entry], out: &Path, wanted: &str) -> Result<PathBuf, StoreError> {
    if wanted == "latest"
        && let Some(newest) = entries.iter().find(|e| e.head.is_ok())
    {
        return Ok(newest.path.clone());
    }
    if wanted.is_empty() {
        return Err(not_found(out, wanted, entries));
    }
    let exact =
        |e: &&Entry| e.folder == wanted || e.head.as_ref().is_ok_and(|h| h.name == wanted || h.run_id == wanted);
    if let Some(entry) = entries.iter().find(exact) {
        return Ok(entry.path.clone());
    }
    let fitting: Vec<&Entry> = entries.iter().filter(|e| begins(e, wanted)).collect();
    match fitting.as_slice() {
        [] => Err(not_found(out, wanted, entries)),
        [entry] => Ok(entry.path.clone()),
        several => Err(ambiguous(out, wanted, several)),
    }
}

fn ambiguous(out: &Path, wanted: &str, several: &[&Entry]) -> StoreError {
    StoreError::Ambiguous {
        out: out.to_owned(),
        wanted: short(wanted),
        count: several.len(),
        candidates: several.iter().take(5).map(|e| format!("`{}`", short(&e.folder))).collect::<Vec<_>>().join(", "),
    }
}

fn begins(entry: &Entry, wanted: &str) -> bool {
    let folder = entry.folder.as_str();
    !wanted.is_empty()
        && (folder.starts_with(wanted)
            || folder.strip_prefix("test_").is_some_and(|rest| rest.starts_with(wanted))
            || entry.head.as_ref().is_ok_and(|h| h.name.starts_with(wanted) || h.run_id.starts_with(wanted)))
}

fn not_found(out: &Path, wanted: &str, entries: &[Entry]) -> StoreError {
    let names = entries.iter().flat_map(|e| {
        let name = e.head.as_ref().ok().map(|h| h.name.as_str());
        [Some(e.folder.as_str()), name].into_iter().flatten()
    });
    let nearest = names
        .map(|name| (strsim::jaro_winkler(name, wanted), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let advice = match nearest {
        Some((_, name)) => format!("did you mean `{}`?", short(name)),
        None if entries.is_empty() => "there are no runs here yet; `speed-kings benchmark --mock` makes one".to_owned(),
        None => "`speed-kings results list` lists the runs there are".to_owned(),
    };
    StoreError::NotFound { out: out.to_owned(), wanted: short(wanted), advice }
}

/// Enough of a name for a message.
fn short(name: &str) -> String {
    schema::text::Untrusted::bounded(name, 120).for_terminal()
}
