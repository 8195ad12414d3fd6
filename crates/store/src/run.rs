//! Opening a run, however it ended.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use schema::FORMAT_VERSION;
use schema::comparison::Comparison;
use schema::curve::{Curve, Step};
use schema::manifest::{Manifest, Status};
use schema::server::ServerSample;
use schema::summary::TargetSummary;
use schema::target::{Target, TargetName};
use schema::text::Untrusted;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::records::Records;
use crate::series::Series;
use crate::{
    COMPARISON, CURVE, IN_FLIGHT, JSON_BYTES, MANIFEST, REQUESTS, SERVER_METRICS, SIDE_LINE_BYTES, STEPS, SUMMARY,
    StoreError, TABLE, disk, is_recorded,
};

/// What the first thing is that a run lacks that was not sealed.
const NOT_ENDED: &str =
    "the run has not ended: it is still going on, or it was killed; it has no summary and no tables yet";

/// A run on disk.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its folder.
    pub path: PathBuf,
    /// What it lacks that a complete run has, one sentence each.
    pub missing: Vec<String>,
}

/// The numbers kept with a run.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Those of each target, in the plan's order.
    pub summaries: Vec<TargetSummary>,
    /// The curve of each target that has one.
    pub curves: Vec<Curve>,
    /// The ranking, where there is one.
    pub comparison: Option<Comparison>,
}

impl Run {
    /// Opens the run in the folder `path`. One that never ended is read through once, to say what it
    /// lacks; of a sealed one only the manifest is read.
    ///
    /// # Errors
    /// When the manifest is not there, cannot be understood, or is of a newer format. Nothing that
    /// happened to other files is an error here.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut run = Self::glance(path)?;
        if run.manifest.status == Status::Running {
            run.missing = run.unfinished();
        }
        Ok(run)
    }

    /// As [`Run::open`], without reading a run through that never ended: whoever reads all its records can tell the rest
    /// of what it lacks ([`Records::missing`], [`Records::problems`]).
    ///
    /// # Errors
    /// As [`Run::open`].
    pub fn glance(path: &Path) -> Result<Self, StoreError> {
        let mut run = Self { manifest: read_manifest(path)?, path: path.to_owned(), missing: Vec::new() };
        let running = run.manifest.status == Status::Running;
        run.missing = if running { vec![NOT_ENDED.to_owned()] } else { run.absent() };
        Ok(run)
    }

    /// The targets, in the plan's order.
    pub fn targets(&self) -> impl Iterator<Item = &TargetName> {
        self.manifest.plan.targets.iter().map(|t| &t.name)
    }

    /// The records of one target, a few megabytes in memory at a time.
    ///
    /// # Errors
    /// When the run has no such target.
    pub fn records(&self, target: &TargetName) -> Result<Records, StoreError> {
        self.target(target).map(|target| self.records_of(target))
    }

    /// The steps of a search at one target, in the order they ended; none when nothing was searched.
    ///
    /// # Errors
    /// When the run has no such target.
    pub fn steps(&self, target: &TargetName) -> Result<Series<Step>, StoreError> {
        self.series(target, STEPS)
    }

    /// The readings of one target's own metrics, in the order they were taken.
    ///
    /// # Errors
    /// When the run has no such target.
    pub fn samples(&self, target: &TargetName) -> Result<Series<ServerSample>, StoreError> {
        self.series(target, SERVER_METRICS)
    }

    fn series<T: DeserializeOwned>(&self, target: &TargetName, file: &str) -> Result<Series<T>, StoreError> {
        self.target(target).map(|target| Series::new(&self.path, &target.name, file, SIDE_LINE_BYTES))
    }

    fn target(&self, name: &TargetName) -> Result<&Target, StoreError> {
        let known = self.manifest.plan.targets.iter().find(|t| t.name == *name);
        known.ok_or_else(|| StoreError::UnknownTarget { name: name.clone() })
    }

    fn records_of(&self, target: &Target) -> Records {
        Records::new(&self.path, &self.manifest.plan, target)
    }

    /// The numbers kept with the run, where they stand for it: sealed with it, all there, readable, and of the current
    /// format. Those of a run whose records are not there are taken whatever their format, since nothing better can be
    /// made.
    pub fn kept(&self) -> Option<Kept> {
        let manifest = &self.manifest;
        let sealed = |path: &String| manifest.checksums.contains_key(path) && self.path.join(path).exists();
        let current = manifest.format_version == FORMAT_VERSION || !self.has_records();
        let whole = self.targets().all(|name| sealed(&format!("{name}/{SUMMARY}")));
        if manifest.status == Status::Running || !current || !whole {
            return None;
        }
        let comparison = match self.comparison() {
            // That of another format may be of another shape.
            Err(_) if manifest.format_version != FORMAT_VERSION => None,
            comparison => comparison.ok()?,
        };
        Some(Kept { summaries: self.summaries().ok()?, curves: self.curves().ok()?, comparison })
    }

    /// Whether any target has a file of records, or of what was on its way to one.
    pub fn has_records(&self) -> bool {
        self.targets()
            .any(|name| [REQUESTS, IN_FLIGHT].iter().any(|file| self.path.join(name.as_str()).join(file).exists()))
    }

    /// Sealed files of what happened that are gone: paths within the run.
    pub fn lost_records(&self) -> impl Iterator<Item = &str> {
        let recorded = self.manifest.checksums.keys().filter(|path| is_recorded(path));
        let gone = |path: &&String| disk::inside(&self.path, path).is_ok_and(|path| !path.exists());
        recorded.filter(gone).map(String::as_str)
    }

    /// The kept numbers of each target that has them, in the plan's order.
    ///
    /// # Errors
    /// When a summary is there but cannot be read.
    pub fn summaries(&self) -> Result<Vec<TargetSummary>, StoreError> {
        self.of_each(SUMMARY)
    }

    /// The kept curve of each target that has one, in the plan's order.
    ///
    /// # Errors
    /// When a curve is there but cannot be read.
    pub fn curves(&self) -> Result<Vec<Curve>, StoreError> {
        self.of_each(CURVE)
    }

    fn of_each<T: DeserializeOwned>(&self, file: &str) -> Result<Vec<T>, StoreError> {
        let paths = self.targets().map(|name| self.path.join(name.as_str()).join(file));
        paths.filter(|path| path.exists()).map(|path| read_json(&path)).collect()
    }

    /// The kept ranking; `None` for a run that has none: one target only, or not sealed.
    ///
    /// # Errors
    /// When it is there but cannot be read.
    pub fn comparison(&self) -> Result<Option<Comparison>, StoreError> {
        let path = self.path.join(COMPARISON);
        path.exists().then(|| read_json(&path)).transpose()
    }

    /// The table of one target's records, to be copied: a Parquet file.
    ///
    /// # Errors
    /// When the run has no such target, or no table of it: it was not sealed.
    pub fn table(&self, target: &TargetName) -> Result<File, StoreError> {
        disk::open(&self.path.join(self.target(target)?.name.as_str()).join(TABLE))
    }

    /// What a run that was not sealed lacks.
    fn unfinished(&self) -> Vec<String> {
        let mut missing = vec![NOT_ENDED.to_owned()];
        for target in &self.manifest.plan.targets {
            let mut records = self.records_of(target);
            let failure = records.by_ref().find_map(Result::err).map(|error| describe(&error));
            missing.extend(records.problems());
            missing.extend(failure);
            missing.extend(problems_of(Series::<Step>::new(&self.path, &target.name, STEPS, SIDE_LINE_BYTES)));
            let samples = Series::<ServerSample>::new(&self.path, &target.name, SERVER_METRICS, SIDE_LINE_BYTES);
            missing.extend(problems_of(samples));
            missing.extend(records.missing());
        }
        missing
    }

    /// Sealed files that are gone.
    fn absent(&self) -> Vec<String> {
        let gone = |path: &&String| disk::inside(&self.path, path).is_ok_and(|p| !p.exists());
        let shown = |path: &String| format!("`{}` is gone", Untrusted::from(path.as_str()));
        self.manifest.checksums.keys().filter(gone).map(shown).collect()
    }
}

/// The numbers kept of one target of the run in `folder`; `None` where it has none. Nothing else is read.
///
/// # Errors
/// When they are there but cannot be read.
pub fn summary_in(folder: &Path, target: &TargetName) -> Result<Option<TargetSummary>, StoreError> {
    let path = folder.join(target.as_str()).join(SUMMARY);
    path.exists().then(|| read_json(&path)).transpose()
}

/// Reads a file through; what is wrong with it.
pub(crate) fn problems_of<T: DeserializeOwned>(mut series: Series<T>) -> Vec<String> {
    let failure = series.by_ref().find_map(Result::err).map(|error| describe(&error));
    series.problems().into_iter().chain(failure).collect()
}

/// Reads the manifest of the run in `folder`.
pub(crate) fn read_manifest(folder: &Path) -> Result<Manifest, StoreError> {
    manifest_as(folder, |manifest: &Manifest| manifest.format_version)
}

/// Reads as much of the manifest of the run in `folder` as a `T` takes, once through; `version` tells its format's.
pub(crate) fn manifest_as<T: DeserializeOwned>(folder: &Path, version: fn(&T) -> u32) -> Result<T, StoreError> {
    let path = folder.join(MANIFEST);
    let bytes = disk::read(&path, JSON_BYTES).map_err(|error| match error {
        StoreError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            StoreError::NotARun { path: folder.to_owned() }
        }
        error => error,
    })?;
    let manifest = parse(&path, &bytes);
    if matches!(&manifest, Ok(manifest) if version(manifest) <= FORMAT_VERSION) {
        return manifest;
    }
    // A newer one may look like anything.
    let found = parse::<Version>(&path, &bytes)?.format_version;
    if found > u64::from(FORMAT_VERSION) {
        return Err(StoreError::TooNew { path, found, known: FORMAT_VERSION });
    }
    manifest
}

/// The one field that every version of a manifest has.
#[derive(Deserialize)]
struct Version {
    format_version: u64,
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    parse(path, &disk::read(path, JSON_BYTES)?)
}

pub(crate) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|e| StoreError::NotUnderstood {
        path: path.to_owned(),
        why: Untrusted::bounded(e.to_string(), 300).for_terminal(),
    })
}

/// An error and its source in one sentence.
pub(crate) fn describe(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
