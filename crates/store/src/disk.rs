//! The file system, carefully: bounded reads of ordinary files, atomic replacement, checksums.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::StoreError;

/// Opens an ordinary file to read. Links, pipes and devices are refused: a run may come from anywhere.
pub(crate) fn open(path: &Path) -> Result<File, StoreError> {
    let open = || {
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not an ordinary file"));
        }
        File::open(path)
    };
    open().map_err(|e| StoreError::io("open", path, e))
}

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    open(path)?.take(limit + 1).read_to_end(&mut bytes).map_err(|e| StoreError::io("read", path, e))?;
    if bytes.len() as u64 > limit {
        return Err(StoreError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// A file that was replaced whenever it was held has no lasting number: some file systems make them up.
const MOST_LOOKS: u32 = 1000;

/// Waits until nobody else changes the file at `path` by [`replace`], and keeps others waiting as long as what is returned
/// lives. `None` where there is no such file, or the system cannot lock one that others read or tell it from another.
pub(crate) fn hold(path: &Path) -> Option<File> {
    let most_looks = if cfg!(unix) { MOST_LOOKS } else { 0 };
    for _ in 0..most_looks {
        let file = open(path).ok()?;
        file.lock().ok()?;
        // Whoever had it may have replaced it: then the one to hold is the new one.
        if is_same(&file, path)? {
            return Some(file);
        }
    }
    None
}

/// Whether the file at `path` is this one.
#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> Option<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let (one, other) = (file.metadata().ok()?, fs::symlink_metadata(path).ok()?);
    Some((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

#[cfg(not(unix))]
fn is_same(_: &File, _: &Path) -> Option<bool> {
    None
}

/// Makes a file of `bytes`, replacing what was there all at once: after a crash at any instant it
/// holds either the old bytes or the new.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace_with(path, |file, temporary| file.write_all(bytes).map_err(|e| StoreError::io("write", temporary, e)))
}

/// As [`replace`], with the bytes written by `write`, which is also told the temporary file's path.
pub(crate) fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut File, &Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    // Of two that replace one file at once, be it from two machines, the later wins and neither tears the other's.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", Uuid::now_v7().simple()));
    let temporary = path.with_file_name(name);
    let result = write_and_rename(path, &temporary, write);
    if result.is_err() {
        // The first error is the one worth reporting, and a stray temporary file harms nobody.
        drop(fs::remove_file(&temporary));
    }
    result
}

/// Whether a file of this name is one that [`replace`] had not finished.
pub(crate) fn is_temporary(name: &str) -> bool {
    let id = name.strip_suffix(".tmp").and_then(|rest| rest.rsplit_once('.')).map(|(_, id)| id);
    id.is_some_and(|id| Uuid::try_parse(id).is_ok())
}

fn write_and_rename(
    path: &Path,
    temporary: &Path,
    write: impl FnOnce(&mut File, &Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let create = || OpenOptions::new().write(true).create_new(true).open(temporary);
    let mut file = create().map_err(|e| StoreError::io("create", temporary, e))?;
    write(&mut file, temporary)?;
    file.sync_all().map_err(|e| StoreError::io("write", temporary, e))?;
    fs::rename(temporary, path).map_err(|e| StoreError::io("replace", path, e))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Whether this is a folder itself, not a link to one.
pub(crate) fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// Makes the names in a folder survive a power cut, where the system can be asked to.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        let sync = || File::open(folder)?.sync_all();
        sync().map_err(|e| StoreError::io("write", folder, e))?;
    }
    Ok(())
}

/// Makes what was appended to a file survive a power cut.
pub(crate) fn sync_file(path: &Path) -> Result<(), StoreError> {
    let sync = || OpenOptions::new().append(true).open(path)?.sync_all();
    sync().map_err(|e| StoreError::io("write", path, e))
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(|e| StoreError::io("create the folder", path, e))
}

/// SHA-256 of a file's bytes, as 64 hexadecimal digits.
pub(crate) fn sha256(path: &Path) -> Result<String, StoreError> {
    let mut file = open(path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 64 << 10];
    loop {
        match file.read(&mut block) {
            Ok(0) => break,
            Ok(n) => hasher.update(&block[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(StoreError::io("read", path, e)),
        }
    }
    Ok(hasher.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes all that is written to it");
        hex
    }))
}

/// A path below a run's folder: relative, and nowhere climbing out.
pub(crate) fn inside(folder: &Path, relative: &str) -> Result<PathBuf, StoreError> {
    let path = Path::new(relative);
    let climbs = path.components().any(|c| !matches!(c, Component::Normal(_)));
    if climbs || relative.is_empty() || relative.contains('\\') || relative.contains('\0') {
        return Err(StoreError::UnsafePath { path: relative.chars().take(200).collect() });
    }
    Ok(folder.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_replace_a_file_at_once_neither_tears_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        let first = replace_with(&path, |file, temporary| {
            file.write_all(b"fi").unwrap();
            replace(&path, b"second").unwrap();
            assert!(is_temporary(&temporary.file_name().unwrap().to_string_lossy()));
            file.write_all(b"rst").unwrap();
            Ok(())
        });
        first.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
