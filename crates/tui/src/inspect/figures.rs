//! What one exchange came to, as words and numbers.

use schema::counted;
use schema::exchange::Exchange;
use schema::metric::Metric;
use schema::record::{FinishReason, HttpVersion, Outcome};
use schema::units::Nanos;
use stats::Economy;

/// Figures under one heading: what each is, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// What they are about.
    pub heading: &'static str,
    /// Label and value. What is not known is not there.
    pub rows: Vec<(&'static str, String)>,
}

/// All that can be said of an exchange in figures.
pub fn figures(exchange: &Exchange) -> Vec<Figures> {
    let economy = Economy::of(exchange);
    let sections = [
        ("Tokens", tokens(&economy)),
        ("Money", money(exchange, &economy)),
        ("Bytes", bytes(exchange, &economy)),
        ("Time", time(exchange)),
    ];
    let sections = sections.into_iter().filter(|(_, rows)| !rows.is_empty());
    sections.map(|(heading, rows)| Figures { heading, rows }).collect()
}

type Rows = Vec<(&'static str, String)>;

fn known<const N: usize>(rows: [(&'static str, Option<String>); N]) -> Rows {
    rows.into_iter().filter_map(|(label, value)| Some((label, value?))).collect()
}

fn tokens(economy: &Economy) -> Rows {
    let count = |tokens: Option<u64>| tokens.map(|tokens| tokens.to_string());
    known([
        ("input", count(economy.input_tokens)),
        ("of these from a cache", count(economy.cached_tokens)),
        ("output", count(economy.output_tokens)),
        ("of these reasoning", count(economy.reasoning_tokens)),
        ("counted by", economy.source.map(|source| source.to_string())),
        ("output tokens per event", economy.tokens_per_event.map(|ratio| format!("{ratio:.2}"))),
    ])
}

fn money(exchange: &Exchange, economy: &Economy) -> Rows {
    let Some(price) = &exchange.target.price else {
        let why = if exchange.target.simulated { "nothing: it is simulated" } else { "no price is known" };
        return vec![("cost", why.to_owned())];
    };
    let prices = format!("{} in, {} out", price.input_per_mtok_usd, price.output_per_mtok_usd);
    known([
        ("cost", economy.cost.map(|cost| cost.to_string()).or_else(|| Some("not known: no counts".to_owned()))),
        ("a thousand of these", economy.cost_per_1k.map(|cost| cost.to_string())),
        ("output tokens per dollar", economy.tokens_per_usd.map(|tokens| format!("{tokens:.0}"))),
        ("price of a million tokens", Some(prices)),
        ("price as of", Some(price.as_of.to_string())),
    ])
}

fn bytes(exchange: &Exchange, economy: &Economy) -> Rows {
    let record = &exchange.record;
    let answered = record.status.is_some();
    known([
        ("request body", Some(format!("{} B", record.request_bytes))),
        ("answer body", answered.then(|| format!("{} B in {}", record.response_bytes, counted(record.reads, "read")))),
        ("of it generated text", economy.payload_bytes.filter(|_| answered).map(|bytes| format!("{bytes} B"))),
        ("of it overhead", economy.overhead_bytes.filter(|_| answered).map(|bytes| format!("{bytes} B"))),
        ("efficiency: text ÷ body", economy.efficiency.map(|share| format!("{:.1} %", share * 100.0))),
        ("answer bytes per token", economy.bytes_per_token.map(|ratio| format!("{ratio:.1}"))),
    ])
}

fn time(exchange: &Exchange) -> Rows {
    let record = &exchange.record;
    let value = |metric| stats::metric_values(record, metric).next();
    let span = |metric| value(metric).map(|ns| Nanos::from_secs_f64(ns / 1e9).to_string());
    let since = |moment: Option<schema::units::Moment>| Some((moment? - record.start_ns?).to_string());
    let lag = stats::metric_values(record, Metric::ClientLag).reduce(f64::max);
    known([
        ("connect", span(Metric::Connect)),
        ("request left", span(Metric::SendLag)),
        ("head of the answer", since(record.headers_ns)),
        ("TTFT", span(Metric::Ttft)),
        ("TTFT visible", span(Metric::TtftVisible)),
        ("E2E", span(Metric::E2e)),
        ("TPOT", span(Metric::Tpot)),
        ("output speed", value(Metric::OutputSpeed).map(|speed| format!("{speed:.1} tokens/s"))),
        ("stall: longest gap", span(Metric::Stall)),
        ("jitter", span(Metric::Jitter)),
        ("over after", since(record.end_ns)),
        ("client lag, the most", lag.map(|ns| Nanos::from_secs_f64(ns / 1e9).to_string())),
        ("server: queue", span(Metric::ServerQueue)),
        ("server: prefill", span(Metric::ServerPrefill)),
        ("server: decode", span(Metric::ServerDecode)),
        ("server: total", span(Metric::ServerTotal)),
    ])
}

/// How an exchange ended, in words; what a server said in them has to be made fit before it is shown.
pub fn ending(exchange: &Exchange) -> schema::text::Untrusted {
    let text = match &exchange.record.outcome {
        Outcome::Complete { finish } => format!("complete: {}", finished(*finish)),
        Outcome::Failed(failure) => format!("failed: {}: {}", failure.class, failure.message.raw()),
        Outcome::NotSent => "not sent".to_owned(),
        Outcome::Cancelled => "given up before its end".to_owned(),
        Outcome::Interrupted => "in flight when the program ended".to_owned(),
    };
    schema::text::Untrusted::bounded(text, usize::MAX)
}

const fn finished(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "the model had said all",
        FinishReason::Length => "as long as it may be",
        FinishReason::ToolCalls => "a tool is to be called",
        FinishReason::ContentFilter => "withheld by a filter",
        FinishReason::Error => "the server says it failed",
        FinishReason::Other => "for a reason we have no word for",
        FinishReason::Unsaid => "without a reason given",
    }
}

/// `HTTP/1.1` or `HTTP/2`; HTTP/1.1 where it came to no connection.
pub const fn version(exchange: &Exchange) -> &'static str {
    match exchange.record.http {
        Some(HttpVersion::Http2) => "HTTP/2",
        Some(HttpVersion::Http1) | None => "HTTP/1.1",
    }
}
