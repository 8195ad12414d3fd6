//! Words that people put on runs.

use std::path::Path;

use schema::manifest::Tag;
use serde_json::Value;

use crate::redact::Layout;
use crate::run::{parse, read_manifest};
use crate::{JSON_BYTES, MANIFEST, StoreError, disk};

/// Puts the tags `add` on the run in `folder` and takes `remove` off it. All else in its manifest stays as it is, fields
/// we do not know included. Returns the tags it has then, in alphabetical order.
///
/// # Errors
/// When it is no run, or the disk refuses.
pub fn tag(folder: &Path, add: &[Tag], remove: &[Tag]) -> Result<Vec<String>, StoreError> {
    let path = folder.join(MANIFEST);
    let _held = disk::hold(&path);
    let before = read_manifest(folder)?.tags;
    let mut tags: Vec<String> = before.iter().cloned().chain(add.iter().map(Tag::to_string)).collect();
    tags.retain(|tag| remove.iter().all(|gone| gone.as_str() != tag));
    tags.sort();
    tags.dedup();
    if tags != before {
        let mut manifest: serde_json::Map<String, Value> = parse(&path, &disk::read(&path, JSON_BYTES)?)?;
        manifest.insert("tags".to_owned(), tags.clone().into());
        let json =
            Layout::Pretty.encode(&manifest).map_err(|source| StoreError::Json { what: "the manifest", source })?;
        disk::replace(&path, &json)?;
    }
    Ok(tags)
}
