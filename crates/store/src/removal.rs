//! Removing runs, and nothing else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::{MANIFEST, StoreError, disk, is_going_on};

/// Ends the name of a folder that is being removed.
const REMOVED: &str = ".removed";

/// Bytes of all files in `folder`. Links count as themselves; what cannot be read counts as nothing.
pub fn bytes_of(folder: &Path) -> u64 {
    let mut folders = vec![folder.to_owned()];
    let mut bytes = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) => bytes += found.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}

/// Removes the run in the folder `run`, which lies in `out` itself. It disappears all at once: after a crash it is whole
/// or gone, and what is left on the disk of one that is gone is among the [leftovers].
///
/// # Errors
/// When it does not lie in `out`, is a link, is no folder of a run, someone is at work on it, or the disk refuses.
pub fn remove(out: &Path, run: &Path) -> Result<(), StoreError> {
    let stray = || StoreError::NotInResults { path: run.to_owned(), out: out.to_owned() };
    let name = run.file_name().ok_or_else(stray)?.to_string_lossy().into_owned();
    let real = |path: &Path| fs::canonicalize(path).map_err(|e| StoreError::io("find", path, e));
    let at_home = disk::is_folder(run) && real(run)?.parent() == Some(&real(out)?);
    let a_run = name.starts_with("test_") || run.join(MANIFEST).symlink_metadata().is_ok();
    if !at_home || !a_run {
        return Err(stray());
    }
    if is_going_on(run) && cfg!(unix) {
        return Err(StoreError::GoingOn { path: run.to_owned() });
    }
    // What an earlier removal left behind is in nobody's way.
    let gone = out.join(format!(".{name}.{}{REMOVED}", Uuid::now_v7().simple()));
    fs::rename(run, &gone).map_err(|e| StoreError::io("remove", run, e))?;
    disk::sync_folder(out)?;
    clear(&gone)
}

/// Hidden folders in `out` of runs that were being made or removed when the program died.
///
/// # Errors
/// When `out` cannot be read.
pub fn leftovers(out: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let fail = |e| StoreError::io("read the folder", out, e);
    let folders = match fs::read_dir(out) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        folders => folders.map_err(fail)?,
    };
    let mut found = Vec::new();
    for folder in folders {
        let path = folder.map_err(fail)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".test_"));
        if hidden && disk::is_folder(&path) && !is_going_on(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Removes one of the [leftovers] of `out`.
///
/// # Errors
/// When it is none, or the disk refuses.
pub fn remove_leftover(out: &Path, folder: &Path) -> Result<(), StoreError> {
    if leftovers(out)?.iter().any(|leftover| leftover == folder) {
        clear(folder)
    } else {
        Err(StoreError::NotInResults { path: folder.to_owned(), out: out.to_owned() })
    }
}

fn clear(folder: &Path) -> Result<(), StoreError> {
    fs::remove_dir_all(folder).map_err(|e| StoreError::io("remove", folder, e))
}
