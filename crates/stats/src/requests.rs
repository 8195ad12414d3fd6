//! Requests out of records: a request is all attempts of one index, and counts by its last.

use std::collections::BTreeMap;

use schema::record::Record;

/// The last attempt at each request, in the order in which requests were first met. Records are of one
/// target and phase.
pub(crate) fn last_attempts<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<&'a Record> {
    let records: Vec<&Record> = records.collect();
    if records.iter().all(|record| record.attempt == 0) {
        return records;
    }
    let mut last: BTreeMap<(u32, u64), u32> = BTreeMap::new();
    for record in &records {
        let latest = last.entry((record.step, record.index)).or_default();
        *latest = record.attempt.max(*latest);
    }
    records.into_iter().filter(|record| last[&(record.step, record.index)] == record.attempt).collect()
}
