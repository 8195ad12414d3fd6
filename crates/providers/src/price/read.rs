//! Reading a price table, with errors that name the row and the field.

use jiff::civil::Date;
use rust_decimal::Decimal;
use schema::units::Usd;
use serde_json::{Map, Value};

use super::{AnnouncedChange, OffPeak, PriceRow};
use crate::error::in_words;
use crate::nearest::nearest;
use crate::provider::find;

/// The dearest price believed, US dollars per million tokens.
const DEAREST: u32 = 1_000_000;

/// Fields of a sheet.
const SHEET_FIELDS: &[&str] = &["as_of", "source", "prices"];

/// Fields of a row.
const ROW_FIELDS: &[&str] = &[
    "provider",
    "model",
    "input_per_mtok_usd",
    "output_per_mtok_usd",
    "cached_input_per_mtok_usd",
    "offpeak_input_per_mtok_usd",
    "offpeak_output_per_mtok_usd",
    "offpeak_cached_input_per_mtok_usd",
    "context_window",
    "max_output_tokens",
    "retires_on",
    "announced_change",
    "note",
];

/// Fields of an announced change.
const CHANGE_FIELDS: &[&str] = &["on", "input", "output"];

/// What is wrong with a price table.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PriceError {
    /// It is not JSON.
    #[error("the price table is not JSON")]
    #[diagnostic(code(providers::prices_not_json), help("check it with `python3 -m json.tool FILE`"))]
    NotJson(#[source] serde_json::Error),
    /// A sheet as a whole is wrong.
    #[error("sheet {sheet} of the price table: {why}")]
    #[diagnostic(
        code(providers::price_sheet),
        help("a sheet looks like `{{\"as_of\": \"2026-11-21\", \"source\": \"our contract\", \"prices\": [ … ]}}`")
    )]
    Sheet {
        /// Which, from 1.
        sheet: usize,
        /// What is wrong.
        why: String,
    },
    /// A row is wrong.
    #[error("price {row} of sheet {sheet}{name}: `{field}` {why}")]
    #[diagnostic(code(providers::price_row), help("{hint}"))]
    Row {
        /// The sheet, from 1.
        sheet: usize,
        /// The row within it, from 1.
        row: usize,
        /// What the row says it prices, where it does.
        name: String,
        /// The field.
        field: String,
        /// What is wrong with it.
        why: String,
        /// What to do.
        hint: String,
    },
}

/// All rows of a price table: one sheet, or an array of them.
pub(super) fn rows(json: &str) -> Result<Vec<PriceRow>, PriceError> {
    let table: Value = serde_json::from_str(json).map_err(PriceError::NotJson)?;
    let sheets = match table {
        Value::Array(sheets) => sheets,
        sheet => vec![sheet],
    };
    let mut rows = Vec::new();
    for (sheet, number) in sheets.iter().zip(1..) {
        rows.append(&mut sheet_rows(sheet, number)?);
    }
    Ok(rows)
}

fn sheet_rows(sheet: &Value, number: usize) -> Result<Vec<PriceRow>, PriceError> {
    let wrong = |why: &str| PriceError::Sheet { sheet: number, why: why.to_owned() };
    let fields = sheet.as_object().ok_or_else(|| wrong("it is no object"))?;
    if let Some(unknown) = fields.keys().find(|key| !SHEET_FIELDS.contains(&key.as_str())) {
        return Err(wrong(&format!("`{}` is no field of a sheet", unknown.escape_debug())));
    }
    let as_of = fields.get("as_of").and_then(date).ok_or_else(|| wrong("`as_of` is no date like `2026-11-21`"))?;
    let source = match fields.get("source") {
        None => "price file",
        Some(source) => source.as_str().ok_or_else(|| wrong("`source` is no text"))?,
    };
    let prices = fields.get("prices").and_then(Value::as_array).ok_or_else(|| wrong("`prices` is no array"))?;
    prices.iter().zip(1..).map(|(row, n)| Row::new(row, number, n)?.read(as_of, source)).collect()
}

/// A date written as text.
fn date(value: &Value) -> Option<Date> {
    value.as_str()?.parse().ok()
}

/// A price: a number, or the same as text, from 0 to [`DEAREST`]. Exact, because the shortest digits that
/// give a float back are those that were written.
fn price(value: &Value) -> Option<Usd> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let amount = text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()?;
    (Decimal::ZERO..=DEAREST.into()).contains(&amount).then_some(Usd(amount.normalize()))
}

/// One row being read.
struct Row<'a> {
    sheet: usize,
    number: usize,
    fields: &'a Map<String, Value>,
}

impl<'a> Row<'a> {
    fn new(value: &'a Value, sheet: usize, number: usize) -> Result<Self, PriceError> {
        let wrong = || PriceError::Sheet { sheet, why: format!("price {number} is no object") };
        Ok(Self { sheet, number, fields: value.as_object().ok_or_else(wrong)? })
    }

    fn read(&self, as_of: Date, source: &str) -> Result<PriceRow, PriceError> {
        self.refuse_unknown(self.fields, ROW_FIELDS)?;
        Ok(PriceRow {
            provider: self.provider()?,
            model: self.text("model")?.to_owned(),
            input_per_mtok_usd: self.price("input_per_mtok_usd")?,
            output_per_mtok_usd: self.price("output_per_mtok_usd")?,
            cached_input_per_mtok_usd: self.optional("cached_input_per_mtok_usd", Self::price)?,
            off_peak: self.optional("offpeak_input_per_mtok_usd", Self::off_peak)?,
            context_window: self.optional("context_window", Self::count)?,
            max_output_tokens: self.optional("max_output_tokens", Self::count)?,
            retires_on: self.optional("retires_on", Self::date)?,
            announced_change: self.optional("announced_change", Self::change)?,
            as_of,
            source: source.to_owned(),
            note: self.optional("note", |row, field| Ok(row.text(field)?.to_owned()))?,
        })
    }

    fn provider(&self) -> Result<String, PriceError> {
        let id = self.text("provider")?;
        let provider = find(id).map_err(|error| {
            let hint = miette::Diagnostic::help(&error).map(|help| help.to_string());
            self.wrong("provider", "names no provider we know", hint.unwrap_or_default())
        })?;
        Ok(provider.id.to_owned())
    }

    fn off_peak(&self, input: &str) -> Result<OffPeak, PriceError> {
        Ok(OffPeak {
            input_per_mtok_usd: self.price(input)?,
            output_per_mtok_usd: self.price("offpeak_output_per_mtok_usd")?,
            cached_input_per_mtok_usd: self.optional("offpeak_cached_input_per_mtok_usd", Self::price)?,
        })
    }

    fn change(&self, field: &str) -> Result<AnnouncedChange, PriceError> {
        let example = "write `{\"on\": \"2027-01-01\", \"input\": 1.5, \"output\": 7.5}`";
        let wrong = || self.wrong(field, "is no announced change", example.to_owned());
        let change = self.fields.get(field).and_then(Value::as_object).ok_or_else(wrong)?;
        self.refuse_unknown(change, CHANGE_FIELDS)?;
        Ok(AnnouncedChange {
            on: change.get("on").and_then(date).ok_or_else(wrong)?,
            input_per_mtok_usd: change.get("input").and_then(price).ok_or_else(wrong)?,
            output_per_mtok_usd: change.get("output").and_then(price).ok_or_else(wrong)?,
        })
    }

    fn price(&self, field: &str) -> Result<Usd, PriceError> {
        self.required(field, price, "is no price", "write US dollars per million tokens, such as 0.15")
    }

    fn count(&self, field: &str) -> Result<u64, PriceError> {
        self.required(field, Value::as_u64, "is no number of tokens", "write a whole number, such as 131072")
    }

    fn date(&self, field: &str) -> Result<Date, PriceError> {
        self.required(field, date, "is no date", "write it like 2026-11-21, in quotes")
    }

    fn text(&self, field: &str) -> Result<&'a str, PriceError> {
        let text = |value: &'a Value| value.as_str().filter(|text| !text.trim().is_empty());
        self.required(field, text, "is no text", "write it in quotes")
    }

    /// The field's value as `read` sees it; an absent one is an error.
    fn required<T>(
        &self,
        field: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
        why: &str,
        hint: &str,
    ) -> Result<T, PriceError> {
        let value = self.fields.get(field).ok_or_else(|| self.wrong(field, "is missing", hint.to_owned()))?;
        read(value).ok_or_else(|| self.wrong(field, why, hint.to_owned()))
    }

    /// `None` for a field that is absent or null.
    fn optional<T>(
        &self,
        field: &str,
        read: impl FnOnce(&Self, &str) -> Result<T, PriceError>,
    ) -> Result<Option<T>, PriceError> {
        match self.fields.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => read(self, field).map(Some),
        }
    }

    fn refuse_unknown(&self, fields: &Map<String, Value>, known: &[&str]) -> Result<(), PriceError> {
        let Some(unknown) = fields.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        let near = nearest(unknown, known.iter().copied());
        let hint = if near.is_empty() {
            format!("known fields are {}", in_words(known))
        } else {
            format!("did you mean {}?", in_words(&near))
        };
        Err(self.wrong(unknown, "is no field of a price", hint))
    }

    fn wrong(&self, field: &str, why: &str, hint: String) -> PriceError {
        let part = |field: &str| Some(self.fields.get(field)?.as_str()?.escape_debug().take(80).collect::<String>());
        let name = part("provider").zip(part("model")).map(|(p, m)| format!(" (`{p}` `{m}`)")).unwrap_or_default();
        PriceError::Row {
            sheet: self.sheet,
            row: self.number,
            name,
            field: field.escape_debug().take(80).collect(),
            why: why.to_owned(),
            hint,
        }
    }
}
