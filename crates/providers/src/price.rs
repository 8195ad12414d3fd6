//! What tokens cost: the embedded price table, a user's own, and the arithmetic.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schema::record::Usage;
use schema::target::Price;
use schema::units::Usd;
use serde::Serialize;

mod read;

pub use read::PriceError;

/// Days after which a price is called stale.
const FRESH_DAYS: i32 = 90;

/// The price table that comes with the program; written by `data/build_pricing.py`.
const EMBEDDED: &str = include_str!("../data/pricing.json");

/// Price and limits of one model at one provider. Prices in US dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriceRow {
    /// The provider's id.
    pub provider: String,
    /// The model's id at this provider.
    pub model: String,
    /// Input tokens; at the peak where hours differ.
    pub input_per_mtok_usd: Usd,
    /// Output tokens, reasoning included.
    pub output_per_mtok_usd: Usd,
    /// Input tokens taken from the provider's cache. `None`: charged as input.
    pub cached_input_per_mtok_usd: Option<Usd>,
    /// Prices outside peak hours.
    pub off_peak: Option<OffPeak>,
    /// Tokens that prompt and answer may have together.
    pub context_window: Option<u64>,
    /// Tokens that an answer may have.
    pub max_output_tokens: Option<u64>,
    /// The day the provider withdraws it.
    pub retires_on: Option<Date>,
    /// Prices from a coming day on.
    pub announced_change: Option<AnnouncedChange>,
    /// The day the figures were looked up.
    pub as_of: Date,
    /// Where they were found.
    pub source: String,
    /// What else there is to say.
    pub note: Option<String>,
}

/// Prices outside peak hours, US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OffPeak {
    /// Input tokens.
    pub input_per_mtok_usd: Usd,
    /// Output tokens.
    pub output_per_mtok_usd: Usd,
    /// Input tokens from the cache.
    pub cached_input_per_mtok_usd: Option<Usd>,
}

/// Prices that hold from a day on, US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AnnouncedChange {
    /// The first day.
    pub on: Date,
    /// Input tokens.
    pub input_per_mtok_usd: Usd,
    /// Output tokens.
    pub output_per_mtok_usd: Usd,
}

impl PriceRow {
    /// The price that holds on `today`, with everything that limits it in its note. When an announced
    /// change is in force the old price for cached tokens no longer counts, and none is given.
    #[must_use]
    pub fn price_on(&self, today: Date) -> Price {
        let changed = self.announced_change.filter(|change| change.on <= today);
        let notes = self.notes(today);
        Price {
            input_per_mtok_usd: changed.map_or(self.input_per_mtok_usd, |c| c.input_per_mtok_usd),
            output_per_mtok_usd: changed.map_or(self.output_per_mtok_usd, |c| c.output_per_mtok_usd),
            cached_input_per_mtok_usd: self.cached_input_per_mtok_usd.filter(|_| changed.is_none()),
            as_of: self.as_of,
            source: self.source.clone(),
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        }
    }

    /// Whether the figures were looked up more than 90 days before `today`.
    pub fn is_stale(&self, today: Date) -> bool {
        (today - self.as_of).get_days() > FRESH_DAYS
    }

    /// What limits the price on `today`, most important first.
    fn notes(&self, today: Date) -> Vec<String> {
        let mut notes = Vec::new();
        if self.is_stale(today) {
            notes.push(format!("stale: looked up on {}, more than {FRESH_DAYS} days ago", self.as_of));
        }
        if let Some(on) = self.retires_on {
            notes.push(format!("{} on {on}", if on <= today { "retired" } else { "retires" }));
        }
        if let Some(change) = self.announced_change {
            notes.push(change.note(today));
        }
        if let Some(off_peak) = self.off_peak {
            let (input, output) = (off_peak.input_per_mtok_usd, off_peak.output_per_mtok_usd);
            notes.push(format!("peak price; off-peak {input} in, {output} out"));
        }
        notes.extend(self.note.clone());
        notes
    }
}

impl AnnouncedChange {
    fn note(&self, today: Date) -> String {
        let Self { on, input_per_mtok_usd: input, output_per_mtok_usd: output } = self;
        if *on <= today {
            format!("the price announced for {on}")
        } else {
            format!("{input} in, {output} out from {on} on")
        }
    }
}

/// Prices by provider and model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceBook {
    rows: BTreeMap<String, BTreeMap<String, PriceRow>>,
}

impl PriceBook {
    /// The prices that come with the program.
    ///
    /// # Panics
    /// Never: a test reads the table that is embedded.
    #[must_use]
    pub fn embedded() -> Self {
        let none = Self { rows: BTreeMap::new() };
        none.with_overrides(EMBEDDED).expect("the price table was read when it was embedded")
    }

    /// These prices with those of `json` in place of, or added to, them. The text is one sheet or an array
    /// of sheets, each `{"as_of": "2026-11-21", "source": "…", "prices": [{"provider": "groq", "model": "…",
    /// "input_per_mtok_usd": 0.15, "output_per_mtok_usd": 0.6}]}`, with the optional fields of [`PriceRow`].
    ///
    /// # Errors
    /// [`PriceError`], naming the row and the field.
    pub fn with_overrides(mut self, json: &str) -> Result<Self, PriceError> {
        for row in read::rows(json)? {
            self.rows.entry(row.provider.clone()).or_default().insert(row.model.clone(), row);
        }
        Ok(self)
    }

    /// The price of `model` at the provider with the id `provider` on `today`.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str, today: Date) -> Option<Price> {
        self.row(provider, model).map(|row| row.price_on(today))
    }

    /// All rows, by provider and model in alphabetical order.
    pub fn rows(&self) -> impl Iterator<Item = &PriceRow> {
        self.rows.values().flat_map(BTreeMap::values)
    }

    /// The row of `model` at `provider`.
    pub fn row(&self, provider: &str, model: &str) -> Option<&PriceRow> {
        self.rows.get(provider)?.get(model)
    }

    /// The day on which a model was withdrawn, if that was by `today`.
    pub(crate) fn retired_on(&self, provider: &str, model: &str, today: Date) -> Option<Date> {
        self.row(provider, model)?.retires_on.filter(|on| *on <= today)
    }
}

/// What one answer cost by the server's own counts, as [`Price::of_tokens`]. Counts that the server did not
/// report are taken as zero; output tokens include reasoning.
pub fn cost(price: &Price, usage: &Usage) -> Usd {
    let reported = |count: Option<u64>| count.unwrap_or(0);
    price.of_tokens(reported(usage.input_tokens), reported(usage.cached_input_tokens), reported(usage.output_tokens))
}

#[cfg(test)]
mod tests;
