//! Disks that fill up. A small file system in memory is one; where none can be mounted, nothing is tested.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use schema::manifest::Status;
use schema::record::Outcome;

use super::sample::{begin, ended, name, partial, read, record, sample, summary};
use crate::{IN_FLIGHT, Run, RunDir, Seal, StoreError, TABLE, verify};

/// A disk of so many bytes, until it is dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where the system does not let us.
    fn of(bytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={bytes},mode=700");
        let mounting = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(folder.path()).output();
        mounting.is_ok_and(|output| output.status.success()).then(|| Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.path()).output());
    }
}

/// A run that recorded until the disk was full, and how many requests it was told that it kept.
fn filled(disk: &Disk) -> (RunDir, u64, StoreError) {
    let run = begin(disk.path());
    let mut writer = run.writer();
    writer.append_partial(&partial("groq", 0, 0)).unwrap();
    writer.append_sample(&name("groq"), &sample(1)).unwrap();
    writer.flush().unwrap();
    for index in 1.. {
        if let Err(error) = writer.append(&record("groq", index)).and_then(|()| writer.flush()) {
            return (run, index - 1, error);
        }
    }
    unreachable!("the disk is small")
}

#[track_caller]
fn check_full(error: &StoreError) {
    assert!(matches!(error, StoreError::Io { source, .. } if source.kind() == ErrorKind::StorageFull), "{error:?}");
    assert!(miette::Diagnostic::help(error).unwrap().to_string().starts_with("free some space"));
}

#[test]
fn a_full_disk_keeps_every_request_that_was_flushed() {
    let Some(disk) = Disk::of(256 << 10) else { return };
    let (run, kept, error) = filled(&disk);
    check_full(&error);
    let opened = Run::open(run.path()).unwrap();
    let (records, problems) = read(&opened, "groq");
    assert_eq!(problems, Vec::<String>::new());
    assert!(kept > 50);
    let (finished, begun): (Vec<_>, Vec<_>) = records.iter().partition(|r| r.outcome != Outcome::Interrupted);
    assert_eq!((finished.len() as u64, begun.len()), (kept, 1));
    assert_eq!(opened.samples(&name("groq")).unwrap().count(), 1);
}

#[test]
fn a_disk_without_room_for_a_manifest_leaves_the_run_as_it_is_and_says_so() {
    let Some(disk) = Disk::of(256 << 10) else { return };
    let (mut run, kept, _) = filled(&disk);
    check_full(&run.seal(Seal { status: Status::Failed, ..ended() }).unwrap_err());
    let opened = Run::open(run.path()).unwrap();
    assert_eq!(opened.manifest.status, Status::Running);
    assert_eq!(read(&opened, "groq").0.len() as u64, kept + 1);
}

/// A file that takes up space and can be removed.
fn ballast(disk: &Disk, bytes: usize) -> PathBuf {
    let path = disk.path().join("ballast");
    fs::write(&path, vec![0; bytes]).unwrap();
    path
}

#[test]
fn a_failed_run_is_sealed_as_far_as_there_is_room() {
    let Some(disk) = Disk::of(256 << 10) else { return };
    // Room for a manifest, and not for a table.
    let ballast = ballast(&disk, 16 << 10);
    let (mut run, kept, _) = filled(&disk);
    fs::remove_file(ballast).unwrap();
    let numbers = [summary("groq")];
    run.seal(Seal { status: Status::Failed, summaries: &numbers, ..ended() }).unwrap();
    let sealed = Run::open(run.path()).unwrap();
    assert_eq!(sealed.manifest.status, Status::Failed);
    assert!(sealed.manifest.notes[0].starts_with("the run could not be sealed whole: "), "{:?}", sealed.manifest.notes);
    assert!(!run.path().join("groq").join(TABLE).exists());
    assert!(run.path().join("groq").join(IN_FLIGHT).exists(), "the parts stay");
    assert!(verify(&sealed).is_empty());
    assert_eq!(read(&sealed, "groq").0.len() as u64, kept + 1);
}

#[test]
fn a_run_that_did_not_fail_is_sealed_whole_or_not_at_all() {
    let Some(disk) = Disk::of(256 << 10) else { return };
    let ballast = ballast(&disk, 16 << 10);
    let (mut run, ..) = filled(&disk);
    fs::remove_file(ballast).unwrap();
    run.seal(ended()).unwrap_err();
    assert_eq!(Run::open(run.path()).unwrap().manifest.status, Status::Running);
}
