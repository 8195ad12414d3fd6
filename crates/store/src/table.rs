//! Records as a Parquet table, for notebooks and BI tools.
use crate::StoreError;
use schema::manifest::Manifest;
use schema::record::Record;
use schema::target::Target;
use std::fs::File;
use std::path::Path;
pub(crate) struct Table;
impl Table {
    pub(crate) fn new(
        _file: &mut File,
        _path: &Path,
        _manifest: &Manifest,
        _target: &Target,
    ) -> Result<Self, StoreError> {
        Ok(Self)
    }
    pub(crate) fn push(&mut self, _record: Record) -> Result<(), StoreError> {
        Ok(())
    }
    pub(crate) fn close(self) -> Result<(), StoreError> {
        Ok(())
    }
}
