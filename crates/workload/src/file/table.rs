//! Prompts from CSV, its first line the columns' names.

use std::io::Read;

use csv::{ReaderBuilder, StringRecord};
use schema::plan::{Columns, Prompt};

use super::Kept;
use super::objects::{Parts, bad_value, clean, missing};
use crate::bounded::Bounds;
use crate::error::{Spot, WorkloadError};

/// Our own names, and no others, when none are given.
const OWN: [&str; 4] = ["prompt", "system", "max_tokens", "image"];

/// Where each part of a prompt stands in a row.
struct Places {
    prompt: usize,
    system: Option<usize>,
    max_tokens: Option<(usize, String)>,
    image: Option<(usize, String)>,
}

pub(super) fn read(
    path: &str,
    reader: impl Read,
    columns: Option<&Columns>,
    kept: &mut Kept,
) -> Result<(), WorkloadError> {
    let bounds = Bounds::new(kept.limits.file_bytes, kept.limits.line_bytes);
    let mut reader = ReaderBuilder::new().from_reader(bounds.watch(reader));
    let failed = |spot: Spot, source| bounds.exceeded(&spot).unwrap_or(WorkloadError::NotCsv { spot, source });
    let headers = reader.headers().map_err(|source| failed(Spot::line(path, 1), source))?;
    if headers.is_empty() {
        return Ok(());
    }
    let places = places(path, headers, columns)?;
    let mut row = StringRecord::new();
    loop {
        bounds.next_entry();
        let spot = Spot::line(path, reader.position().line());
        if !reader.read_record(&mut row).map_err(|source| failed(spot, source))? {
            return Ok(());
        }
        let spot = Spot::line(path, row.position().map_or(0, csv::Position::line));
        kept.keep(prompt(&spot, &row, &places)?, None);
        if kept.is_full {
            return Ok(());
        }
    }
}

fn places(path: &str, headers: &StringRecord, columns: Option<&Columns>) -> Result<Places, WorkloadError> {
    let place = |name: &str| headers.iter().position(|header| header.trim() == name);
    let named = |name: &str| place(name).ok_or_else(|| missing(&Spot::line(path, 1), name, headers.iter()));
    let Some(columns) = columns else {
        let prompt = named("prompt")?;
        if let Some(unknown) = headers.iter().find(|header| !OWN.contains(&header.trim())) {
            return Err(WorkloadError::UnknownColumn { path: path.to_owned(), column: clean(unknown) });
        }
        let with_name = |name: &str| place(name).map(|place| (place, name.to_owned()));
        let (max_tokens, image) = (with_name("max_tokens"), with_name("image"));
        return Ok(Places { prompt, system: place("system"), max_tokens, image });
    };
    let optional = |name: &Option<String>| name.as_deref().map(named).transpose();
    let with_name = |name: &Option<String>| Ok(optional(name)?.zip(name.clone()));
    Ok(Places {
        prompt: named(&columns.prompt)?,
        system: optional(&columns.system)?,
        max_tokens: with_name(&columns.max_tokens)?,
        image: with_name(&columns.image)?,
    })
}

fn prompt(spot: &Spot, row: &StringRecord, places: &Places) -> Result<Prompt, WorkloadError> {
    let text = |place: usize| row.get(place).unwrap_or("");
    let number = |(text, name): (&str, &str)| text.parse().map_err(|_| bad_value(spot, name, "number"));
    let images = |(text, name): (&str, &str)| {
        if text.starts_with('[') {
            serde_json::from_str(text).map_err(|_| bad_value(spot, name, "picture"))
        } else {
            Ok(vec![text.to_owned()])
        }
    };
    Parts {
        user: text(places.prompt).to_owned(),
        system: places.system.map(|place| text(place).to_owned()),
        max_tokens: filled(row, places.max_tokens.as_ref()).map(number).transpose()?,
        images: filled(row, places.image.as_ref()).map_or(Ok(Vec::new()), images)?,
        image_name: places.image.as_ref().map_or("image", |(_, name)| name),
    }
    .check(spot)
}

/// What stands in a column with a name, when something does.
fn filled<'a>(row: &'a StringRecord, place: Option<&'a (usize, String)>) -> Option<(&'a str, &'a str)> {
    let (place, name) = place?;
    row.get(*place).map(|text| (text.trim(), name.as_str())).filter(|(text, _)| !text.is_empty())
}
