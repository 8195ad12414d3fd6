//! The folder of a run that goes on, from its first byte to its seal.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use schema::FORMAT_VERSION;
use schema::comparison::Comparison;
use schema::curve::{Curve, Step};
use schema::manifest::{Found, Manifest, Status};
use schema::server::ServerSample;
use schema::summary::{Calibration, Quality, TargetSummary};
use schema::target::{Target, TargetName};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::alive::Alive;
use crate::append::Appender;
use crate::records::Records;
use crate::redact::{Layout, Redactor};
use crate::run::{Run, describe, problems_of, read_manifest};
use crate::series::Series;
use crate::table::{self, Table};
use crate::{
    COMPARISON, CURVE, IN_FLIGHT, JSON_BYTES, LOG, Log, MANIFEST, REQUESTS, SERVER_METRICS, SIDE_LINE_BYTES, STEPS,
    SUMMARY, StoreError, TABLE, Writer, disk,
};

/// Names at the top of a run's folder that no target may take.
const TAKEN: &[&str] = &[MANIFEST, "manifest.json.tmp", COMPARISON, "summary.csv", SUMMARY, LOG, "charts", "reports"];

/// Names in a target's folder that the store keeps itself.
const OURS: &[&str] = &[REQUESTS, IN_FLIGHT, STEPS, SERVER_METRICS, TABLE, SUMMARY, CURVE];

/// Names in a target's folder of what is made of records.
const MADE: [&str; 3] = [TABLE, SUMMARY, CURVE];

/// Characters of a run's name that its folder keeps.
const NAME_LENGTH: usize = 64;

/// Runs of one name that may begin within one second.
const SAME_SECOND: u32 = 1000;

/// The folder of a run that goes on. Dropping it leaves the run as a crash would: it opens, with the
/// status `running`.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    manifest: Manifest,
    redactor: Arc<Redactor>,
    _alive: Alive,
}

/// A run in the making that nobody sees yet: a hidden folder, which becomes a run all at once when it is published, and
/// goes when it is dropped before that.
#[derive(Debug)]
pub struct Draft {
    directory: RunDir,
    unborn: Unborn,
    out: PathBuf,
    folder: String,
}

/// A hidden folder that goes when this is dropped, unless it is no longer there.
#[derive(Debug)]
struct Unborn(PathBuf);

impl Drop for Unborn {
    fn drop(&mut self) {
        // Whatever led here is the error worth reporting.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// How a run ended, and what was made of it.
#[derive(Debug, Clone, Copy)]
pub struct Seal<'a> {
    /// [`Status::Complete`], [`Status::Interrupted`] or [`Status::Failed`].
    pub status: Status,
    /// When it ended.
    pub ended: Timestamp,
    /// The numbers of each target, kept as its `summary.json`.
    pub summaries: &'a [TargetSummary],
    /// The curve of each target that has one, kept as its `curve.json`.
    pub curves: &'a [Curve],
    /// The ranking of several targets, kept as `comparison.json`.
    pub comparison: Option<&'a Comparison>,
    /// Further files: their path within the run, with `/` between folders, and their bytes.
    pub files: &'a [(&'a str, &'a [u8])],
    /// The verdict on the run.
    pub quality: Option<&'a Quality>,
    /// This machine's own floor, where it was measured beside the run.
    pub calibration: Option<&'a Calibration>,
    /// What went wrong on our side, or was noteworthy; added to the manifest's notes.
    pub notes: &'a [String],
}

impl RunDir {
    /// Begins a run in a new folder `test_{name}_{date}_{time}` of `out` (`now` is local time), with
    /// `_2`, `_3`… at its end when that is taken. It appears with its manifest, status `running`, or
    /// not at all.
    ///
    /// No value of `secrets` reaches the folder by anything written through this crate, be it as it
    /// is, escaped for JSON or escaped for a URL: `***` stands in its place. Values below eight bytes,
    /// and parts of the names of targets and providers, are placeholders and not hidden.
    ///
    /// # Errors
    /// When the disk refuses, or a target's name cannot be a folder of its own here.
    pub fn create(
        out: &Path,
        manifest: &Manifest,
        now: DateTime,
        secrets: &[SecretString],
    ) -> Result<Self, StoreError> {
        Self::draft(out, manifest, now, secrets)?.publish()
    }

    /// As [`RunDir::create`], in a hidden folder that is [published](Draft::publish) once it is whole.
    ///
    /// # Errors
    /// As [`RunDir::create`].
    pub fn draft(
        out: &Path,
        manifest: &Manifest,
        now: DateTime,
        secrets: &[SecretString],
    ) -> Result<Draft, StoreError> {
        check_names(manifest.plan.targets.iter().map(|t| &t.name))?;
        let redactor = Arc::new(Redactor::new(secrets, &manifest.plan.targets));
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            status: Status::Running,
            ended: None,
            requests: None,
            quality: None,
            checksums: BTreeMap::new(),
            ..redactor.value("the manifest", manifest)?
        };
        let name = clean_name(&manifest.plan.name);
        let folder = format!("test_{name}_{}", now.strftime("%Y%m%d_%H%M%S"));
        disk::make_folder(out)?;
        let path = out.join(format!(".{folder}_{}", manifest.run_id));
        disk::make_folder(&path)?;
        let directory = Self { _alive: Alive::mark(&path), path, manifest, redactor };
        let unborn = Unborn(directory.path.clone());
        let draft = Draft { directory, unborn, out: out.to_owned(), folder };
        draft.directory.put_manifest(&draft.directory.manifest)?;
        Ok(draft)
    }

    /// Opens a run that is over, or died, to be sealed again: its numbers are made anew, and its records stay as they
    /// are. A run that died keeps the requests that were in flight as far as they had come.
    ///
    /// # Errors
    /// When it is no run, is of a newer format, leads elsewhere by links, or someone is at work on it.
    pub fn reopen(path: &Path) -> Result<Self, StoreError> {
        let manifest = read_manifest(path)?;
        let folders = manifest.plan.targets.iter().map(|target| path.join(target.name.as_str()));
        for folder in std::iter::once(path.to_owned()).chain(folders.filter(|folder| folder.symlink_metadata().is_ok()))
        {
            if !disk::is_folder(&folder) {
                return Err(StoreError::Linked { path: folder });
            }
        }
        let alive = Alive::take(path)?;
        // What was kept has been past the guard already.
        Ok(Self { path: path.to_owned(), manifest, redactor: Arc::new(Redactor::new(&[], &[])), _alive: alive })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run as it stands, to be read.
    pub fn run(&self) -> Run {
        Run { manifest: self.manifest.clone(), path: self.path.clone(), missing: Vec::new() }
    }

    /// The manifest as it stands.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Keeps the manifest of a run of an older format as `manifest.v1.json`, where nothing of that name is there yet.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_manifest(&self) -> Result<(), StoreError> {
        let version = self.manifest.format_version;
        let path = self.path.join(format!("manifest.v{version}.json"));
        if version == FORMAT_VERSION || path.symlink_metadata().is_ok() {
            return Ok(());
        }
        disk::replace(&path, &disk::read(&self.path.join(MANIFEST), JSON_BYTES)?)
    }

    /// Takes in what was found of the targets while the run went on: the seal keeps it.
    pub fn learn(&mut self, found: Vec<Found>) {
        self.manifest.found = found;
    }

    /// Changes the manifest of a run that goes on.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn amend(&mut self, change: impl FnOnce(&mut Manifest)) -> Result<(), StoreError> {
        let mut manifest = self.manifest.clone();
        change(&mut manifest);
        self.manifest = self.put_manifest(&manifest)?;
        Ok(())
    }

    /// The writer of records. There is one: two would tear each other's lines.
    pub fn writer(&self) -> Writer {
        Writer::new(&self.path, self.manifest.plan.targets.iter().map(|t| &t.name), Arc::clone(&self.redactor))
    }

    /// The sink of `run.log`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn log(&self) -> Result<Log, StoreError> {
        Log::open(&self.path.join(LOG), Arc::clone(&self.redactor))
    }

    /// Ends the run: parts of requests that never got a record become interrupted ones, each target
    /// gets its table, its summary and its curve, all files their checksums, and the manifest says how it
    /// ended. The writer must have been flushed and be gone. Records are read one by one: memory does not
    /// grow with the run.
    ///
    /// A run that was sealed before is sealed anew, in the current format: what was made of its records is replaced, and
    /// stands for it again once the manifest is; checksums of records stay those of the first seal.
    ///
    /// A run that [failed](Status::Failed) is sealed as far as the disk allows: what could not be made of its
    /// records becomes a note, and the parts of requests stay.
    ///
    /// # Errors
    /// When the disk refuses, or a summary or file cannot be of this run. The manifest is replaced
    /// last: after an error the run is still `running`, opens, and can be sealed again.
    pub fn seal(&mut self, seal: Seal<'_>) -> Result<&Manifest, StoreError> {
        self.check(&seal)?;
        self.break_seal(&seal)?;
        let mut manifest = Manifest {
            format_version: FORMAT_VERSION,
            status: seal.status,
            ended: Some(seal.ended),
            ..self.manifest.clone()
        };
        manifest.quality = seal.quality.cloned();
        manifest.calibration = seal.calibration.cloned().or(manifest.calibration);
        note(&mut manifest, seal.notes.iter().cloned());
        let mut sealed = Vec::new();
        let made = self.make_files(&seal, &mut manifest, &mut sealed);
        let failed = seal.status == Status::Failed;
        let mut whole = made.is_ok();
        match made {
            Err(error) if failed => not_whole(&mut manifest, &error),
            made => made?,
        }
        sealed.retain(|path| !manifest.checksums.contains_key(path));
        for path in sealed {
            let sum = disk::sha256(&self.path.join(&path))?;
            manifest.checksums.insert(path, sum);
        }
        let written = match self.put_manifest(&manifest) {
            Err(error) if failed => {
                not_whole(&mut manifest, &error);
                self.make_room(&mut manifest);
                whole = false;
                self.put_manifest(&manifest)
            }
            written => written,
        };
        self.manifest = written?;
        if whole {
            self.forget_parts()?;
            self.forget_halves();
        }
        Ok(&self.manifest)
    }

    /// Replaces the manifest, except for the tags of one that is there: people put them on while we are at work. Returns
    /// what was written.
    fn put_manifest(&self, manifest: &Manifest) -> Result<Manifest, StoreError> {
        let mut manifest = self.redactor.value("the manifest", manifest)?;
        let path = self.path.join(MANIFEST);
        let _held = disk::hold(&path);
        if let Ok(kept) = read_manifest(&self.path) {
            manifest.tags = kept.tags;
        }
        let json = self.redactor.json("the manifest", &manifest, Layout::Pretty)?;
        disk::replace(&path, &json)?;
        Ok(manifest)
    }

    /// Removes sealed files that were made of others, and their checksums.
    fn make_room(&self, manifest: &mut Manifest) {
        manifest.checksums.retain(|path, _| {
            // One that cannot be removed is still what its checksum says.
            is_recorded(path) || disk::inside(&self.path, path).map_or(true, |path| fs::remove_file(path).is_err())
        });
    }

    /// Takes what is about to be made anew out of an earlier seal, so that nothing half new is taken for whole.
    fn break_seal(&mut self, seal: &Seal<'_>) -> Result<(), StoreError> {
        let made_anew = |path: &String| self.is_made(path) || seal.files.iter().any(|(file, _)| file == path);
        let mut checksums = self.manifest.checksums.clone();
        checksums.retain(|path, _| !made_anew(path));
        if checksums.len() < self.manifest.checksums.len() {
            self.manifest = self.put_manifest(&Manifest { checksums, ..self.manifest.clone() })?;
        }
        Ok(())
    }

    /// Whether this is a file that the seal makes of records.
    fn is_made(&self, path: &str) -> bool {
        let of_target = |target: &Target| {
            let file = path.strip_prefix(target.name.as_str()).and_then(|rest| rest.strip_prefix('/'));
            file.is_some_and(|file| MADE.contains(&file))
        };
        path == COMPARISON || self.manifest.plan.targets.iter().any(of_target)
    }

    /// Removes what an earlier seal made and this one did not.
    fn forget_stale(&self, sealed: &[String]) -> Result<(), StoreError> {
        let targets = self.manifest.plan.targets.iter();
        let made = targets.flat_map(|target| MADE.map(|file| format!("{}/{file}", target.name)));
        for stale in made.chain([COMPARISON.to_owned()]).filter(|path| !sealed.contains(path)) {
            remove_file(&self.path.join(stale))?;
        }
        Ok(())
    }

    /// Makes all that is made of records, and tells `sealed` of each file.
    fn make_files(&self, seal: &Seal<'_>, manifest: &mut Manifest, sealed: &mut Vec<String>) -> Result<(), StoreError> {
        let mut requests = None;
        for target in &self.manifest.plan.targets {
            sealed.extend(self.seal_series::<Step>(target, STEPS, manifest)?);
            sealed.extend(self.seal_series::<ServerSample>(target, SERVER_METRICS, manifest)?);
            if let Some(count) = self.seal_records(target, manifest)? {
                requests = Some(requests.unwrap_or(0) + count);
                sealed.extend([REQUESTS, TABLE].map(|file| format!("{}/{file}", target.name)));
            }
        }
        let told = || seal.summaries.iter().map(|summary| summary.attempted + summary.warmup).sum();
        manifest.requests = Some(requests.unwrap_or_else(told));
        for summary in seal.summaries {
            sealed.push(self.put_json(&summary.target, SUMMARY, "a summary", summary)?);
        }
        for curve in seal.curves {
            sealed.push(self.put_json(&curve.target, CURVE, "a curve", curve)?);
        }
        if let Some(comparison) = seal.comparison {
            self.put(COMPARISON, &self.redactor.json("the comparison", comparison, Layout::Pretty)?)?;
            sealed.push(COMPARISON.to_owned());
        }
        for (path, bytes) in seal.files {
            self.put(path, &self.redactor.bytes(bytes))?;
            sealed.push((*path).to_owned());
        }
        self.forget_stale(sealed)
    }

    fn check(&self, seal: &Seal<'_>) -> Result<(), StoreError> {
        if seal.status == Status::Running {
            return Err(StoreError::NotAnEnd);
        }
        let targets = &self.manifest.plan.targets;
        let mut named = seal.summaries.iter().map(|s| &s.target).chain(seal.curves.iter().map(|c| &c.target));
        if let Some(stray) = named.find(|name| targets.iter().all(|t| t.name != **name)) {
            return Err(StoreError::UnknownTarget { name: stray.clone() });
        }
        for (path, _) in seal.files {
            disk::inside(&self.path, path)?;
            let ours = |target: &Target| {
                let file = path.strip_prefix(target.name.as_str()).and_then(|rest| rest.strip_prefix('/'));
                file.is_some_and(|file| OURS.contains(&file))
            };
            if [MANIFEST, COMPARISON, LOG].contains(path) || targets.iter().any(ours) {
                return Err(StoreError::UnsafePath { path: (*path).to_owned() });
            }
        }
        Ok(())
    }

    /// Turns one target's lines into its table; returns how many there are, `None` when it has no file.
    fn seal_records(&self, target: &Target, manifest: &mut Manifest) -> Result<Option<u64>, StoreError> {
        let folder = self.path.join(target.name.as_str());
        let lines = folder.join(REQUESTS);
        if !lines.exists() && !folder.join(IN_FLIGHT).exists() {
            return Ok(None);
        }
        let mut records = Records::new(&self.path, &self.manifest.plan, target);
        let mut interrupted = Appender::new(lines.clone());
        let mut count = 0;
        disk::replace_with(&folder.join(TABLE), |file, temporary| {
            let mut table = Table::new(file, temporary, &self.manifest, target, table::GROUP)?;
            while let Some(record) = records.next() {
                let record = record?;
                if records.interrupted() > 0 {
                    interrupted.push(&self.redactor.record(&record)?)?;
                }
                count += 1;
                table.push(record)?;
            }
            table.close()
        })?;
        interrupted.flush()?;
        if records.interrupted() > 0 {
            manifest.checksums.remove(&format!("{}/{REQUESTS}", target.name));
        }
        note(manifest, records.problems());
        if lines.exists() {
            disk::sync_file(&lines)?;
            return Ok(Some(count));
        }
        // Parts there were, but none could be read: the table of nothing goes again.
        fs::remove_file(folder.join(TABLE)).map_err(|e| StoreError::io("remove", &folder.join(TABLE), e))?;
        Ok(None)
    }

    /// Makes one target's file of lines safe, where there is one, and notes what cannot be read of it.
    fn seal_series<T: DeserializeOwned>(
        &self,
        target: &Target,
        file: &str,
        manifest: &mut Manifest,
    ) -> Result<Option<String>, StoreError> {
        let path = self.path.join(target.name.as_str()).join(file);
        if !path.exists() {
            return Ok(None);
        }
        note(manifest, problems_of(Series::<T>::new(&self.path, &target.name, file, SIDE_LINE_BYTES)));
        disk::sync_file(&path)?;
        Ok(Some(format!("{}/{file}", target.name)))
    }

    fn put_json<T>(&self, target: &TargetName, file: &str, what: &'static str, value: &T) -> Result<String, StoreError>
    where
        T: Serialize + DeserializeOwned,
    {
        let path = format!("{target}/{file}");
        self.put(&path, &self.redactor.json(what, value, Layout::Pretty)?)?;
        Ok(path)
    }

    fn put(&self, relative: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = disk::inside(&self.path, relative)?;
        disk::make_folder(path.parent().unwrap_or(&self.path))?;
        disk::replace(&path, bytes)
    }

    fn forget_parts(&self) -> Result<(), StoreError> {
        for target in &self.manifest.plan.targets {
            remove_file(&self.path.join(target.name.as_str()).join(IN_FLIGHT))?;
        }
        Ok(())
    }

    /// Removes what an earlier seal that was killed left half written. Half a manifest may be that of someone who puts a
    /// tag on the run at this moment, so it stays.
    fn forget_halves(&self) {
        let folders = self.manifest.plan.targets.iter().map(|target| self.path.join(target.name.as_str()));
        let files = folders.chain([self.path.clone()]).flat_map(fs::read_dir).flatten().flatten();
        for file in files {
            let name = file.file_name();
            let name = name.to_string_lossy();
            if disk::is_temporary(&name) && !name.starts_with(MANIFEST) {
                // One that stays harms nobody.
                drop(fs::remove_file(file.path()));
            }
        }
    }
}

impl Draft {
    /// The run, to be written to and sealed.
    pub const fn directory(&mut self) -> &mut RunDir {
        &mut self.directory
    }

    /// Gives the run its name, `test_{name}_{date}_{time}` with `_2`, `_3`… at its end when that is taken.
    ///
    /// # Errors
    /// When the disk refuses; then nothing of it is left.
    pub fn publish(self) -> Result<RunDir, StoreError> {
        let path = settle(&self.unborn.0, &self.out, &self.folder)?;
        Ok(RunDir { path, ..self.directory })
    }
}

/// Whether this, a path within a run, is a file of what happened, not of what was made of it.
pub fn is_recorded(path: &str) -> bool {
    [REQUESTS, STEPS, SERVER_METRICS].iter().any(|file| path.ends_with(&format!("/{file}")))
}

/// Removes a file, if it is there.
fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path, e)),
        _ => Ok(()),
    }
}

/// Adds notes that are not there yet: who summarised the run may have told them, too.
fn note(manifest: &mut Manifest, notes: impl IntoIterator<Item = String>) {
    for note in notes {
        if !manifest.notes.contains(&note) {
            manifest.notes.push(note);
        }
    }
}

/// Notes that not all could be sealed, and why.
fn not_whole(manifest: &mut Manifest, error: &StoreError) {
    note(manifest, [format!("the run could not be sealed whole: {}", describe(error))]);
}

/// A run's name as its folder shows it: lower case, `a` to `z`, digits, `-` and `_`, whatever else
/// became one `-`; at most 64 characters; `run` when nothing is left.
pub fn clean_name(name: &str) -> String {
    let mut clean = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' {
            clean.push(c);
        } else if !clean.ends_with('-') {
            clean.push('-');
        }
        if clean.len() == NAME_LENGTH {
            break;
        }
    }
    let clean = clean.trim_matches('-');
    if clean.is_empty() { "run".to_owned() } else { clean.to_owned() }
}

/// Each target needs a folder of its own, also where upper and lower case are one.
fn check_names<'a>(names: impl Iterator<Item = &'a TargetName>) -> Result<(), StoreError> {
    let mut taken: BTreeMap<String, String> =
        TAKEN.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
    for name in names {
        if let Some(other) = taken.insert(name.as_str().to_ascii_lowercase(), name.to_string()) {
            return Err(StoreError::TakenName { name: name.clone(), other });
        }
    }
    Ok(())
}

/// Gives the finished folder `unborn` the first free name that begins with `folder`.
fn settle(unborn: &Path, out: &Path, folder: &str) -> Result<PathBuf, StoreError> {
    for n in 1..=SAME_SECOND {
        let path = out.join(if n == 1 { folder.to_owned() } else { format!("{folder}_{n}") });
        // Renaming onto a folder that is not empty fails, so of two runs that race for one name one
        // goes on to the next.
        if path.exists() {
            continue;
        }
        match fs::rename(unborn, &path) {
            Ok(()) => {
                disk::sync_folder(out)?;
                return Ok(path);
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty) => {}
            Err(e) => return Err(StoreError::io("create the folder", &path, e)),
        }
    }
    Err(StoreError::NoFreeFolder { path: out.join(folder) })
}
