//! Exchanges as text, in each form of results.

use report::{Align, Cell, Column, Listing};
use schema::exchange::{Exchange, Exchanges};
use schema::text::Untrusted;
use serde_json::json;
use stats::Economy;
use tui::inspect::{Filter, Row, answer_text, ending, figures, raw_text, request_text, timeline};

use crate::args::Output;
use crate::commands::Context;
use crate::outcome::Failure;

/// Text of one event in a table, in bytes; the other forms have all of it.
const SHOWN_TEXT: usize = 60;

/// What is wanted of them.
pub(super) struct Form {
    pub(super) filter: Filter,
    pub(super) raw: bool,
    /// Whether a person has just looked at all of it.
    pub(super) was_seen: bool,
}

pub(super) fn print(exchanges: &Exchanges, form: &Form, context: &Context) -> Result<(), Failure> {
    let all = &exchanges.exchanges;
    match context.output {
        Output::Json => context.terminal.print(&as_json(exchanges)),
        Output::Csv => context.terminal.print(&rows(all, form, usize::MAX, true).csv()),
        Output::Markdown => context.terminal.print(&all.iter().map(|one| markdown(one, form)).collect::<String>()),
        Output::Table if form.was_seen => context.print_listing(&overview(all)),
        Output::Table => {
            let style = context.terminal.style();
            let listed = |listing: Listing| listing.table(style);
            context.terminal.print(&all.iter().map(|one| plain(one, form, &listed)).collect::<String>())
        }
    }
}

/// What a file has, and what each exchange came to.
fn as_json(exchanges: &Exchanges) -> String {
    let mut value = serde_json::to_value(exchanges).expect("exchanges are plain data");
    value["economies"] = exchanges.exchanges.iter().map(economy).collect();
    format!("{value:#}\n")
}

fn economy(exchange: &Exchange) -> serde_json::Value {
    let economy = Economy::of(exchange);
    json!({
        "target": exchange.target.name,
        "input_tokens": economy.input_tokens,
        "cached_input_tokens": economy.cached_tokens,
        "output_tokens": economy.output_tokens,
        "reasoning_tokens": economy.reasoning_tokens,
        "token_source": economy.source,
        "cost_usd": economy.cost,
        "cost_per_1k_usd": economy.cost_per_1k,
        "output_tokens_per_usd": economy.tokens_per_usd,
        "tokens_per_event": economy.tokens_per_event,
        "bytes_per_token": economy.bytes_per_token,
        "payload_bytes": economy.payload_bytes,
        "overhead_bytes": economy.overhead_bytes,
        "efficiency": economy.efficiency,
    })
}

fn title(exchange: &Exchange) -> String {
    let mark = if exchange.target.simulated { " (SIMULATED)" } else { "" };
    let model = Untrusted::from(exchange.target.model.as_str());
    format!("{}{mark}: {model}", exchange.target.name)
}

fn plain(exchange: &Exchange, form: &Form, listed: &dyn Fn(Listing) -> String) -> String {
    let mut text = format!("{}\n\nRequest\n", title(exchange));
    put(&mut text, &request_text(exchange));
    text.push_str("\nAnswer\n");
    put(&mut text, &answer_text(exchange));
    text.push_str("\nTimeline\n");
    text.push_str(&listed(rows(std::slice::from_ref(exchange), form, SHOWN_TEXT, false)));
    if form.raw {
        text.push_str("\nEvents as they came\n");
        for (row, lines) in raw(exchange, form) {
            let place = format!("{:>5}  at {}\n", row.number, row.at);
            text.push_str(&place);
            put(&mut text, &lines);
        }
    }
    for section in figures(exchange) {
        let heading = format!("\n{}\n", section.heading);
        text.push_str(&heading);
        put(&mut text, &section.rows.iter().map(|(label, value)| format!("{label:<28}{value}")).collect::<Vec<_>>());
    }
    text.push('\n');
    text
}

fn put(text: &mut String, lines: &[String]) {
    for line in lines {
        text.push_str(if line.is_empty() { "" } else { "  " });
        text.push_str(line);
        text.push('\n');
    }
}

fn markdown(exchange: &Exchange, form: &Form) -> String {
    let mut text = format!("# {}\n\n## Request\n\n", title(exchange));
    fence(&mut text, &request_text(exchange));
    text.push_str("\n## Answer\n\n");
    fence(&mut text, &answer_text(exchange));
    text.push_str("\n## Timeline\n\n");
    text.push_str(&rows(std::slice::from_ref(exchange), form, usize::MAX, false).markdown());
    if form.raw {
        text.push_str("\n## Events as they came\n");
        for (row, lines) in raw(exchange, form) {
            let place = format!("\n{} at {}\n\n", row.number, row.at);
            text.push_str(&place);
            fence(&mut text, &lines);
        }
    }
    for section in figures(exchange) {
        let rows = section.rows.iter().map(|(label, value)| vec![words(label), words(value)]).collect();
        let columns = vec![column("figure", "Figure", Align::Left), column("value", "Value", Align::Right)];
        let listing = Listing { title: String::new(), columns, rows };
        let section = format!("\n## {}\n\n{}", section.heading, listing.markdown());
        text.push_str(&section);
    }
    text.push('\n');
    text
}

/// A block of code that nothing in it can end.
fn fence(text: &mut String, lines: &[String]) {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let block = format!("{fence}\n{}\n{fence}\n", lines.join("\n"));
    text.push_str(&block);
}

/// The rows that are wanted.
fn chosen(exchange: &Exchange, filter: &Filter) -> impl Iterator<Item = Row> + use<> {
    let rows = timeline(exchange);
    filter.choose(&rows, exchange).into_iter().map(move |at| rows[at])
}

fn raw<'a>(exchange: &'a Exchange, form: &Form) -> impl Iterator<Item = (Row, Vec<String>)> + use<'a> {
    chosen(exchange, &form.filter).filter_map(|row| Some((row, raw_text(&*row.raw(exchange)?))))
}

fn rows(exchanges: &[Exchange], form: &Form, text: usize, is_data: bool) -> Listing {
    let mut columns = vec![
        column("event", "#", Align::Right),
        column("at_ns", "At", Align::Right),
        column("gap_ns", "Gap", Align::Right),
        column("bytes", "Bytes", Align::Right),
        column("tokens", "Tokens", Align::Right),
        column("kind", "Kind", Align::Left),
        column("client_lag_ns", "Lag", Align::Right),
        column("shared_read", "Same read", Align::Left),
        column("text", "Text", Align::Left),
    ];
    if is_data {
        columns.insert(0, column("target", "Target", Align::Left));
        if form.raw {
            columns.push(column("raw", "As it came", Align::Left));
        }
    }
    let rows = exchanges.iter().flat_map(|exchange| {
        chosen(exchange, &form.filter).map(move |row| {
            let mut cells = cells(&row, exchange, text);
            if is_data {
                cells.insert(0, words(exchange.target.name.as_str()));
                if form.raw {
                    let raw = row.raw(exchange).map(|raw| raw.shown());
                    cells.push(raw.map_or(Cell::Empty, |raw| words(raw.raw())));
                }
            }
            cells
        })
    });
    Listing { title: String::new(), columns, rows: rows.collect() }
}

fn cells(row: &Row, exchange: &Exchange, limit: usize) -> Vec<Cell> {
    let span = |span: schema::units::Nanos| Cell::Number { shown: span.to_string(), value: span.0 as f64 };
    let count = |count: usize| Cell::Number { shown: count.to_string(), value: count as f64 };
    let text = row.text(exchange).map(|text| Untrusted::bounded(text.raw(), limit));
    vec![
        count(row.number),
        span(row.at),
        row.gap.map_or(Cell::Empty, span),
        count(row.bytes as usize),
        row.tokens.map_or(Cell::Empty, |tokens| count(tokens.into())),
        words(row.carried.in_words()),
        row.lag.map_or_else(|| words("user"), span),
        Cell::Flag(row.shared),
        text.map_or(Cell::Empty, |text| words(text.raw())),
    ]
}

/// One line for each, for who has seen the rest.
fn overview(exchanges: &[Exchange]) -> Listing {
    let columns = vec![
        column("target", "Target", Align::Left),
        column("ended", "Ended", Align::Left),
        column("events", "Events", Align::Right),
        column("output_tokens", "Output tokens", Align::Right),
        column("ttft", "TTFT", Align::Right),
        column("e2e", "E2E", Align::Right),
    ];
    let rows = exchanges.iter().map(|exchange| {
        let mark = if exchange.target.simulated { " (SIMULATED)" } else { "" };
        let sections = figures(exchange);
        let find = |wanted: &str| {
            let mut rows = sections.iter().flat_map(|section| &section.rows);
            rows.find(|(label, _)| *label == wanted).map_or(Cell::Empty, |(_, value)| words(value))
        };
        let events = exchange.record.events.len();
        vec![
            words(&format!("{}{mark}", exchange.target.name)),
            words(ending(exchange).raw()),
            Cell::Number { shown: events.to_string(), value: events as f64 },
            find("output"),
            find("TTFT"),
            find("E2E"),
        ]
    });
    Listing { title: String::new(), columns, rows: rows.collect() }
}

const fn column(key: &'static str, heading: &'static str, align: Align) -> Column {
    Column { key, heading, align }
}

fn words(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}
