//! Traces in CSV.
//!
//! | trace | its instants | its columns |
//! | --- | --- | --- |
//! | Azure LLM inference | date and time, with or without a zone | `TIMESTAMP`, `ContextTokens`, `GeneratedTokens` |
//! | BurstGPT | seconds | `Timestamp`, `Request tokens`, `Response tokens`, and others that are not needed |

use std::io::Read;

use csv::{ReaderBuilder, StringRecord};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Arrival, Arrivals, MAX_TRACE_BYTES, bad_request, nanos};
use crate::bounded::Bounds;
use crate::error::{Spot, WorkloadError};
use crate::file::clean;
use crate::lengths::MAX_LENGTH;

/// Names of columns, lower case: when, how much went in, how much came out.
const AZURE: [&str; 3] = ["timestamp", "contexttokens", "generatedtokens"];
const BURST_GPT: [&str; 3] = ["timestamp", "request tokens", "response tokens"];

/// A longer row is refused: those of traces have a hundred bytes.
const MAX_ROW_BYTES: u64 = 1 << 20;

pub(super) fn read(path: &str, reader: impl Read, arrivals: &mut Arrivals) -> Result<(), WorkloadError> {
    let bounds = Bounds::new(MAX_TRACE_BYTES, MAX_ROW_BYTES);
    let mut reader = ReaderBuilder::new().from_reader(bounds.watch(reader));
    let failed = |spot: Spot, source| bounds.exceeded(&spot).unwrap_or(WorkloadError::NotCsv { spot, source });
    let headers = reader.headers().map_err(|source| failed(Spot::line(path, 1), source))?;
    let places = places(headers).ok_or_else(|| WorkloadError::UnknownTrace { path: path.to_owned() })?;
    let mut row = StringRecord::new();
    loop {
        bounds.next_entry();
        let spot = Spot::line(path, reader.position().line());
        if !reader.read_record(&mut row).map_err(|source| failed(spot.clone(), source))? {
            return Ok(());
        }
        arrivals.add(arrival(&spot, &row, places)?);
        if arrivals.is_full {
            return Ok(());
        }
    }
}

/// Where the columns of either trace stand.
fn places(headers: &StringRecord) -> Option<[usize; 3]> {
    let place = |name: &str| headers.iter().position(|header| header.trim().eq_ignore_ascii_case(name));
    let all = |[at, input, output]: [&str; 3]| Some([place(at)?, place(input)?, place(output)?]);
    all(AZURE).or_else(|| all(BURST_GPT))
}

fn arrival(spot: &Spot, row: &StringRecord, [at, input, output]: [usize; 3]) -> Result<Arrival, WorkloadError> {
    let text = |place: usize| row.get(place).unwrap_or("").trim();
    let tokens = |place: usize| {
        let count = text(place).parse().ok().filter(|count| *count <= MAX_LENGTH);
        count.ok_or_else(|| bad_request(spot, format!("`{}` is no number of tokens", clean(text(place)))))
    };
    let when = instant(text(at)).ok_or_else(|| bad_request(spot, format!("`{}` is no time", clean(text(at)))))?;
    Ok(Arrival { at: when, input_tokens: tokens(input)?, output_tokens: tokens(output)?, blocks: Vec::new() })
}

/// Nanoseconds since any instant. What has no zone is taken as UTC: only differences count.
fn instant(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse() {
        return nanos(seconds);
    }
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })?;
    i64::try_from(at.as_nanosecond()).ok()
}
