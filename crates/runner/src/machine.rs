//! What the run was measured with: the machine, and the state of the repository it was started in.

use std::fs;
use std::path::{Path, PathBuf};

use schema::manifest::{Git, Machine};

/// This machine. What cannot be found out is left empty.
pub(crate) fn machine() -> Machine {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let release = read("/proc/sys/kernel/osrelease");
    let memory_kib = field(&read("/proc/meminfo"), "MemTotal").and_then(|v| v.split(' ').next()?.parse::<u64>().ok());
    Machine {
        os: format!("{} {}", std::env::consts::OS, release.trim()).trim().to_owned(),
        cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cores: std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX)),
        memory_bytes: memory_kib.unwrap_or(0) * 1024,
    }
}

/// The repository around the working directory, if there is one.
pub(crate) fn git() -> Option<Git> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join(".git")).find(|git| git.is_dir()).and_then(|git| read_git(&git))
}

fn read_git(git: &Path) -> Option<Git> {
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    let head = head.trim();
    let Some(reference) = head.strip_prefix("ref: ") else {
        return is_commit(head).then(|| Git { commit: head.to_owned(), branch: None });
    };
    let reference_path: PathBuf = reference.split('/').filter(|part| *part != "..").collect();
    let loose = fs::read_to_string(git.join(reference_path)).ok().map(|text| text.trim().to_owned());
    let commit = loose.or_else(|| {
        let packed = fs::read_to_string(git.join("packed-refs")).ok()?;
        let line = packed.lines().find(|line| line.ends_with(&format!(" {reference}")))?;
        line.split(' ').next().map(ToOwned::to_owned)
    })?;
    let branch = reference.strip_prefix("refs/heads/").map(ToOwned::to_owned);
    is_commit(&commit).then_some(Git { commit, branch })
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: Option<(&str, Option<&str>)>) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let got = read_git(folder.path()).map(|git| (git.commit, git.branch));
        assert_eq!(got, expected.map(|(commit, branch)| (commit.to_owned(), branch.map(ToOwned::to_owned))));
    }

    #[test]
    fn a_branch_a_packed_branch_and_a_detached_head_are_found() {
        check(&[("HEAD", "ref: refs/heads/main\n"), ("refs/heads/main", COMMIT)], Some((COMMIT, Some("main"))));
        let packed = format!("# pack-refs\n{COMMIT} refs/heads/main\n");
        check(&[("HEAD", "ref: refs/heads/main\n"), ("packed-refs", &packed)], Some((COMMIT, Some("main"))));
        check(&[("HEAD", COMMIT)], Some((COMMIT, None)));
    }

    #[test]
    fn a_repository_without_commits_or_with_nonsense_is_none() {
        check(&[("HEAD", "ref: refs/heads/main\n")], None);
        check(&[("HEAD", "something else")], None);
    }
}
