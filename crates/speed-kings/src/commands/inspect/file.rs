//! Exchanges in a file.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use schema::exchange::{EXCHANGE_FORMAT, Exchanges};
use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::config::problem::Problem;
use crate::outcome::Failure;

/// Bytes of a file at most.
const MOST_BYTES: u64 = 512 << 20;

/// Writes all of them or nothing.
///
/// # Errors
/// The file cannot be written.
pub(super) fn save(path: &Path, exchanges: &Exchanges) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || -> std::io::Result<()> {
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(json(exchanges).as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|error| {
        let problem = Problem::new(format!("the exchanges cannot be kept in `{}`: {error}", path.display()));
        let report = problem.help("name a file in a folder that is there and may be written to").into();
        Failure { report, exit: crate::outcome::Exit::Failed }
    })
}

/// Where the key puts them when no file was named: one a second.
pub(super) fn usual() -> PathBuf {
    let now = jiff::Zoned::now().datetime();
    format!("exchange_{}.json", now.strftime("%Y%m%d_%H%M%S")).into()
}

pub(super) fn json(exchanges: &Exchanges) -> String {
    let text = serde_json::to_string_pretty(exchanges).expect("exchanges are plain data");
    format!("{text}\n")
}

/// What is looked at first.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// There is no such file, or it is something else.
pub(super) fn open(path: &Path) -> Result<Exchanges, Failure> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| Problem::new(format!("`{name}` cannot be read: {error}")).help("check the path"))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Problem::new(format!("`{name}` is larger than any file of exchanges")).into());
    }
    let is_none = |error: serde_json::Error| {
        Problem::new(format!("`{name}` holds no exchanges: {error}"))
            .help("`speed-kings inspect --save FILE.json` writes such a file")
    };
    let version: Version = serde_json::from_slice(&bytes).map_err(is_none)?;
    if version.format_version > EXCHANGE_FORMAT {
        let problem = Problem::new(format!("`{name}` was written by a newer speed-kings"));
        return Err(problem.help("update speed-kings, or send the request again").into());
    }
    let exchanges: Exchanges = serde_json::from_slice(&bytes).map_err(is_none)?;
    if exchanges.exchanges.is_empty() {
        return Err(Problem::new(format!("`{name}` holds no exchange"))
            .help("nothing was sent when it was written")
            .into());
    }
    Ok(exchanges)
}
