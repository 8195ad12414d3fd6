//! `pricing`: what models cost, and how old that knowledge is.

use std::path::PathBuf;

use jiff::civil::Date;
use providers::PriceRow;
use report::{Align, Cell, Column, Listing};
use schema::units::Usd;

use crate::commands::Context;
use crate::config::problem::Problem;
use crate::config::resolve::price_book;
use crate::outcome::{Exit, Failure};

/// Show what models cost, in US dollars per million tokens, and when that was looked up.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings pricing
  speed-kings pricing --model gpt-oss-120b
  speed-kings pricing --provider groq --output csv")]
pub(crate) struct Args {
    /// Only this provider's.
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,

    /// Only models with this text in their ids.
    #[arg(long, value_name = "TEXT")]
    model: Option<String>,

    /// Prices in place of the built-in ones: a JSON file.
    #[arg(long, value_name = "FILE", env = "SPEED_KINGS_PRICES", hide_env = true)]
    prices: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let book = price_book(args.prices.as_ref())?;
    let provider = args.provider.as_deref().map(providers::find).transpose();
    let provider = provider.map_err(|error| Problem::from_diagnostic(&error))?;
    let wanted = args.model.as_deref().unwrap_or_default().to_lowercase();
    let rows: Vec<&PriceRow> = book
        .rows()
        .filter(|row| provider.is_none_or(|provider| provider.id == row.provider))
        .filter(|row| row.model.to_lowercase().contains(&wanted))
        .collect();
    let stale = rows.iter().filter(|row| row.is_stale(context.today)).count();
    context.print_listing(&listing(&rows, context.today))?;
    if rows.is_empty() {
        context.terminal.note("no price is known of that; `speed-kings pricing` shows all");
    }
    if stale > 0 {
        context.terminal.note(&format!("stale prices among these: {stale}; check, or give your own with `--prices`"));
    }
    Ok(Exit::Done)
}

fn listing(rows: &[&PriceRow], today: Date) -> Listing {
    let left = |key, heading| Column { key, heading, align: Align::Left };
    let right = |key, heading| Column { key, heading, align: Align::Right };
    Listing {
        title: String::new(),
        columns: vec![
            left("provider", "Provider"),
            left("model", "Model"),
            right("input_per_mtok_usd", "Input"),
            right("output_per_mtok_usd", "Output"),
            right("cached_input_per_mtok_usd", "Cached input"),
            left("as_of", "As of"),
            left("stale", "Stale"),
            left("note", "Note"),
        ],
        rows: rows.iter().map(|row| price_row(row, today)).collect(),
    }
}

fn price_row(row: &PriceRow, today: Date) -> Vec<Cell> {
    let price = row.price_on(today);
    vec![
        Cell::Text(row.provider.clone()),
        Cell::Text(row.model.clone()),
        dollars(price.input_per_mtok_usd),
        dollars(price.output_per_mtok_usd),
        price.cached_input_per_mtok_usd.map_or(Cell::Empty, dollars),
        Cell::Text(row.as_of.to_string()),
        Cell::Flag(row.is_stale(today)),
        price.note.map_or(Cell::Empty, Cell::Text),
    ]
}

fn dollars(amount: Usd) -> Cell {
    let value = amount.0.to_string().parse().expect("a decimal reads as a number");
    Cell::Number { shown: amount.to_string(), value }
}
