//! Removing runs, and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use super::sample::{begin, ended, record, write};
use crate::{RunDir, StoreError, bytes_of, is_going_on, leftovers, list, remove, remove_leftover};

/// A sealed run that nobody works on.
fn sealed(out: &Path) -> PathBuf {
    let mut run = begin(out);
    write(&mut run.writer(), &[record("groq", 0)], &[]);
    run.seal(ended()).unwrap();
    run.path().to_owned()
}

#[test]
fn a_run_goes_with_all_that_is_in_it() {
    let out = tempfile::tempdir().unwrap();
    let (one, other) = (sealed(out.path()), sealed(out.path()));
    assert!(bytes_of(&one) > 1_000);
    remove(out.path(), &one).unwrap();
    assert!(!one.exists() && other.exists());
    assert_eq!(list(out.path()).unwrap().len(), 1);
    assert_eq!(leftovers(out.path()).unwrap(), Vec::<PathBuf>::new());
}

#[test]
fn what_does_not_lie_in_the_folder_of_results_stays() {
    let (out, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (here, there) = (sealed(out.path()), sealed(elsewhere.path()));
    let nested = here.join("test_nested_20261122_080509");
    fs::create_dir(&nested).unwrap();
    fs::create_dir(out.path().join("notes")).unwrap();
    let climbing = here.join("..").join(here.file_name().unwrap()).join("..");
    for stray in [there, nested, out.path().join("notes"), out.path().to_owned(), climbing, "/".into(), "".into()] {
        let error = remove(out.path(), &stray).unwrap_err();
        assert!(matches!(error, StoreError::NotInResults { .. }), "{}: {error}", stray.display());
        assert!(stray.as_os_str().is_empty() || stray.exists());
    }
}

#[cfg(unix)]
#[test]
fn links_are_neither_followed_nor_taken_for_runs() {
    use std::os::unix::fs::symlink;
    let (out, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let there = sealed(elsewhere.path());
    let link = out.path().join("test_link_20261122_080509");
    symlink(&there, &link).unwrap();
    assert!(matches!(remove(out.path(), &link), Err(StoreError::NotInResults { .. })));
    let here = sealed(out.path());
    symlink(&there, here.join("link")).unwrap();
    symlink("/nonexistent", here.join("dangling")).unwrap();
    let size = bytes_of(&here);
    assert!(size < bytes_of(&there) * 2, "what a link leads to is not counted");
    remove(out.path(), &here).unwrap();
    assert!(there.join("manifest.json").exists());
}

#[cfg(unix)]
#[test]
fn a_run_that_goes_on_stays() {
    let out = tempfile::tempdir().unwrap();
    let run = begin(out.path());
    let path = run.path().to_owned();
    assert!(is_going_on(&path));
    assert!(matches!(remove(out.path(), &path), Err(StoreError::GoingOn { .. })));
    drop(run);
    assert!(!is_going_on(&path), "it died");
    remove(out.path(), &path).unwrap();
}

#[test]
fn only_leftovers_are_removed_as_such() {
    let out = tempfile::tempdir().unwrap();
    let run = sealed(out.path());
    let leftover = out.path().join(".test_half_20261122_080509_1");
    fs::create_dir_all(leftover.join("groq")).unwrap();
    fs::create_dir(out.path().join(".git")).unwrap();
    assert_eq!(leftovers(out.path()).unwrap().as_slice(), std::slice::from_ref(&leftover));
    for stray in [run, out.path().join(".git")] {
        assert!(matches!(remove_leftover(out.path(), &stray), Err(StoreError::NotInResults { .. })));
    }
    remove_leftover(out.path(), &leftover).unwrap();
    assert!(!leftover.exists() && out.path().join(".git").exists());
    assert_eq!(leftovers(Path::new("/nonexistent")).unwrap(), Vec::<PathBuf>::new());
}

#[cfg(unix)]
#[test]
fn a_run_in_the_making_is_no_leftover() {
    let out = tempfile::tempdir().unwrap();
    let draft = RunDir::draft(out.path(), &super::sample::manifest("a", &["groq"]), super::sample::NOW, &[]).unwrap();
    assert_eq!(leftovers(out.path()).unwrap(), Vec::<PathBuf>::new());
    assert!(list(out.path()).unwrap().is_empty(), "nobody sees it");
    drop(draft);
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0, "it goes when it is given up");
}
