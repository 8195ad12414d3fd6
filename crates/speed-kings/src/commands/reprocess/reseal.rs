//! Makes a stored run's numbers anew from its records, and seals it again.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use schema::FORMAT_VERSION;
use schema::manifest::Status;
use schema::summary::{Summary, TargetSummary};
use schema::target::TargetName;
use schema::text::Untrusted;
use store::{Change, Run, RunDir, StoreError};

use crate::commands::benchmark::pages;

/// Changes of one file that are told one by one.
const TOLD: usize = 3;

/// What became of a run.
#[derive(Debug, Default)]
pub(crate) struct Resealed {
    /// What is not as it was, one sentence each.
    pub(crate) changes: Vec<String>,
    /// What of its records could not be read.
    pub(crate) problems: Vec<String>,
    /// Records that are not what was sealed.
    pub(crate) tampered: Vec<String>,
}

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Only told what would change.
    DryRun,
    /// Sealed again.
    Seal,
    /// Sealed again, with the manifest of an older format kept beside the new one.
    SealKeeping,
}

/// Makes the numbers of the run in `folder` anew. Its records stay as they are.
///
/// # Errors
/// When it is no run, is still going on, has no records or lost some, or the disk refuses.
pub(crate) fn reseal(folder: &Path, mode: Mode) -> Result<Resealed, StoreError> {
    let mut directory = RunDir::reopen(folder)?;
    let run = directory.run();
    if !run.has_records() {
        return Err(StoreError::NoRecords { path: folder.to_owned() });
    }
    if let Some(path) = run.lost_records().next() {
        let path = Untrusted::from(path).for_terminal();
        return Err(StoreError::RecordsGone { run: folder.to_owned(), path });
    }
    let numbers = runner::recompute(&run)?;
    let resealed =
        Resealed { changes: changes(&run, &numbers.summary), tampered: tampered(&run), problems: numbers.problems };
    if mode == Mode::DryRun {
        return Ok(resealed);
    }
    if mode == Mode::SealKeeping {
        directory.keep_manifest()?;
    }
    let manifest = &run.manifest;
    let died = manifest.status == Status::Running;
    let end = runner::End {
        status: if died { Status::Interrupted } else { manifest.status },
        ended: if died { last_seen(&run)? } else { manifest.ended.unwrap_or(manifest.epoch.wall) },
        summary: Some(&numbers.summary),
        notes: &[&resealed.problems[..], &resealed.tampered].concat(),
        pages: &(Box::new(pages) as runner::Pages),
    };
    runner::conclude(&mut directory, &end)?;
    Ok(resealed)
}

/// Files of records that are no longer what was sealed.
fn tampered(run: &Run) -> Vec<String> {
    store::verify_records(run).iter().map(ToString::to_string).collect()
}

/// When the last thing that was recorded of a run happened.
fn last_seen(run: &Run) -> Result<Timestamp, StoreError> {
    let mut last = 0;
    for target in run.targets() {
        for record in run.records(target)? {
            let record = record?;
            let end = record.end_ns.or(record.start_ns).unwrap_or(record.scheduled_ns);
            last = last.max(end.0);
        }
    }
    let began = run.manifest.epoch.wall;
    let length = SignedDuration::from_nanos(i64::try_from(last).unwrap_or(i64::MAX));
    Ok(began.checked_add(length).unwrap_or(began))
}

/// In what the new numbers differ from those kept with the run.
fn changes(run: &Run, summary: &Summary) -> Vec<String> {
    let manifest = &run.manifest;
    let mut told = Vec::new();
    if manifest.format_version != FORMAT_VERSION {
        told.push(format!("format {} becomes {FORMAT_VERSION}", manifest.format_version));
    }
    if manifest.status == Status::Running {
        told.push("it died while it ran; it is sealed as interrupted".to_owned());
        return told;
    }
    let Ok(kept) = run.summaries() else {
        told.push("its numbers could not be read".to_owned());
        return told;
    };
    let kept: BTreeMap<&TargetName, &TargetSummary> = kept.iter().map(|summary| (&summary.target, summary)).collect();
    for new in &summary.targets {
        match kept.get(&new.target) {
            Some(old) => told.extend(in_words(new.target.as_str(), &store::changes(*old, new))),
            None => told.push(format!("{}: its numbers were missing", new.target)),
        }
    }
    match (run.curves(), summary.curves.is_empty()) {
        (Ok(curves), _) => told.extend(in_words("curves", &store::changes(&curves, &summary.curves))),
        (Err(_), _) => told.push("curves: those kept could not be read".to_owned()),
    }
    match run.comparison() {
        Ok(old) => told.extend(in_words("ranking", &store::changes(&old, &summary.comparison))),
        Err(_) => told.push("ranking: that kept could not be read, or is of an older format".to_owned()),
    }
    let gone = |path: &&String| !store::is_recorded(path) && !run.path.join(path).exists();
    told.extend(manifest.checksums.keys().filter(gone).map(|path| format!("`{path}` was gone")));
    told
}

fn in_words(what: &str, changes: &[Change]) -> Option<String> {
    let value = |value: &Option<serde_json::Value>| {
        let text = value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        Untrusted::bounded(text, 40).for_terminal()
    };
    let one = |change: &Change| format!("{} {} → {}", change.at, value(&change.before), value(&change.after));
    let told: Vec<String> = changes.iter().take(TOLD).map(one).collect();
    let more = if changes.len() > TOLD { format!(", and {} more", changes.len() - TOLD) } else { String::new() };
    (!told.is_empty()).then(|| format!("{what}: {}{more}", told.join(", ")))
}
