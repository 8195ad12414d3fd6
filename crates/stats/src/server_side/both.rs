//! One quantity by the client's clock and by the server's, and what the difference consists of.

use schema::counted;
use schema::event::Stamp;
use schema::metric::Metric;
use schema::record::Record;
use schema::server::{BothSides, Counter, ServerTime};
use schema::units::Nanos;

use super::growth::{Growth, median_bucket};
use crate::metric_values;
use crate::moments::mean;
use crate::quantile::quantile;

/// Means that differ by less than this share of the server's agree.
const AGREEMENT: f64 = 0.02;

/// Means that differ by less than this agree, however short they are: nanoseconds.
const AGREEMENT_NS: f64 = 50_000.0;

/// A median in a bucket wider than this share of it is not to be compared.
const COARSE: f64 = 0.5;

/// Comparisons of what both sides measured: the client's name for it, and the server's.
const PAIRS: [(Metric, Metric); 5] = [
    (Metric::Ttft, Metric::ServerTtft),
    (Metric::E2e, Metric::ServerTotal),
    (Metric::Itl, Metric::Itl),
    (Metric::Tpot, Metric::Tpot),
    (Metric::ServerDecode, Metric::ServerDecode),
];

/// All that can be compared over the requests of ours that lie in the same time.
pub(super) fn compare(engine: &str, growth: &Growth, ours: &[&Record]) -> Vec<BothSides> {
    let times = growth.times();
    let pairs = PAIRS.iter().filter_map(|&(metric, server)| {
        let server = *times.get(&server)?;
        let client = Client::of(metric, ours)?;
        Some(client.beside(server, why(engine, metric, &client, &server, ours)))
    });
    let sums = [prefill_sum(growth, ours), decode_sum(growth, ours)];
    pairs.chain(sums.into_iter().flatten()).collect()
}

/// A warning where the server's medians are not to be compared.
pub(super) fn coarse(growth: &Growth, compared: &[BothSides]) -> Option<String> {
    let names: Vec<_> = compared
        .iter()
        .filter_map(|both| {
            let (_, server) = PAIRS.iter().find(|(client, _)| *client == both.metric)?;
            let (_, bucket) = median_bucket(growth.histograms.get(server)?)?;
            let wide = both.server_p50.is_none_or(|p50| bucket.high - bucket.low > COARSE * p50);
            wide.then(|| format!("{} ({bucket})", both.metric))
        })
        .collect();
    (!names.is_empty())
        .then(|| format!("the server's medians lie in buckets too wide to compare: {}", names.join(", ")))
}

/// What the client saw of a quantity, nanoseconds.
struct Client {
    metric: Metric,
    mean: f64,
    p50: f64,
    n: usize,
}

impl Client {
    fn of(metric: Metric, ours: &[&Record]) -> Option<Self> {
        let mut seen: Vec<f64> = match metric {
            Metric::ServerDecode => in_pieces(ours).filter_map(decode).collect(),
            Metric::Ttft => in_pieces(ours).flat_map(|record| metric_values(record, metric)).collect(),
            _ => ours.iter().flat_map(|record| metric_values(record, metric)).collect(),
        };
        seen.sort_unstable_by(f64::total_cmp);
        (!seen.is_empty()).then(|| Self { metric, mean: mean(&seen), p50: quantile(&seen, 0.5), n: seen.len() })
    }

    fn beside(&self, server: ServerTime, why: String) -> BothSides {
        BothSides {
            metric: self.metric,
            client_mean: self.mean,
            client_p50: Some(self.p50),
            server_mean: server.mean,
            server_p50: server.p50,
            server_n: server.n,
            why,
        }
    }
}

/// Those whose answers came in pieces, or had one token: of the others the first token came with the last, whenever the
/// server made it.
fn in_pieces<'a>(ours: &[&'a Record]) -> impl Iterator<Item = &'a Record> {
    let came_whole =
        |record: &Record| record.events.content().count() == 1 && record.tokens.is_some_and(|tokens| tokens.output > 1);
    ours.iter().copied().filter(move |record| !came_whole(record))
}

/// First to last content of a completed request: what a server calls decoding.
fn decode(record: &Record) -> Option<f64> {
    let one = |metric| metric_values(record, metric).next();
    Some(one(Metric::E2e)? - one(Metric::Ttft)?)
}

/// Where an engine tells only the sum of the time it read prompts (llama.cpp), that sum per request is the least that
/// a TTFT can be.
fn prefill_sum(growth: &Growth, ours: &[&Record]) -> Option<BothSides> {
    let client = Client::of(Metric::Ttft, ours)?;
    let server = per(growth, Counter::PrefillSeconds, client.n as f64, Metric::ServerTtft)?;
    let rest = span(client.mean - server.mean);
    let why = format!(
        "the server tells only how long it read prompts, and those it read together share that time; {rest} more at the client are that, queueing, HTTP and network{}",
        parts(&Parts::of(ours))
    );
    Some(client.beside(server, why))
}

/// The same of generating, per token.
fn decode_sum(growth: &Growth, ours: &[&Record]) -> Option<BothSides> {
    let client = Client::of(Metric::Tpot, ours)?;
    let tokens = *growth.counters.get(&Counter::GeneratedTokens)?;
    let server = per(growth, Counter::DecodeSeconds, tokens, Metric::Tpot)?;
    let why =
        "the server's is its generating time ÷ all tokens, the first ones included; the client's a mean over requests";
    Some(client.beside(server, why.to_owned()))
}

/// A sum of seconds spread over `n`, where no histogram says it better.
fn per(growth: &Growth, seconds: Counter, n: f64, better: Metric) -> Option<ServerTime> {
    let sum = *growth.counters.get(&seconds)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests or tokens")]
    let whole = n as u64;
    let told = n > 0.0 && sum > 0.0 && !growth.histograms.contains_key(&better);
    told.then(|| ServerTime { n: whole, mean: sum * 1e9 / n, p50: None })
}

/// What the time between the two clocks is known to consist of, means in nanoseconds.
struct Parts {
    /// From `start` to the kernel's handing the request to the wire.
    sending: Option<f64>,
    /// A TCP handshake: about one round trip.
    round_trip: Option<f64>,
    /// The client's own delay in reading content, where it is part of the arrivals because they were not stamped by
    /// the kernel.
    unstamped: bool,
}

impl Parts {
    fn of(ours: &[&Record]) -> Self {
        let sending: Vec<f64> = ours.iter().flat_map(|record| metric_values(record, Metric::SendLag)).collect();
        let trips = ours.iter().filter_map(|record| record.connect).map(|connect| connect.tcp_ns.0 as f64);
        Self {
            sending: (!sending.is_empty()).then(|| mean(&sending)),
            round_trip: trips.reduce(f64::min),
            unstamped: ours.iter().any(|record| record.events.content().any(|event| event.stamp == Stamp::User)),
        }
    }

    fn known(&self) -> f64 {
        self.sending.unwrap_or(0.0) + self.round_trip.unwrap_or(0.0)
    }
}

/// The known parts as a clause.
fn parts(parts: &Parts) -> String {
    let sending = parts.sending.map(|ns| format!("our own sending {}", span(ns)));
    let trip = parts.round_trip.map(|ns| format!("a round trip of the network (TCP handshake) {}", span(ns)));
    let reading = parts.unstamped.then(|| "our own reading, as not all arrivals are stamped by the kernel".to_owned());
    let said: Vec<_> = [sending, trip, reading].into_iter().flatten().collect();
    if said.is_empty() { String::new() } else { format!(" (of it {})", said.join(", ")) }
}

fn why(engine: &str, metric: Metric, client: &Client, server: &ServerTime, ours: &[&Record]) -> String {
    let difference = client.mean - server.mean;
    let values = format!("{} here, {} there", counted(client.n, "value"), server.n);
    if let Some(known) = quirk(engine, metric) {
        return format!("{} {} at the client: {known}; {values}", span(difference), longer(difference));
    }
    if difference.abs() <= (server.mean * AGREEMENT).max(AGREEMENT_NS) {
        return format!("they agree; {values}");
    }
    if difference < 0.0 {
        let why = if client.n as u64 == server.n {
            ": what begins later here than there counts less"
        } else {
            ", which cannot be for the same requests"
        };
        return format!("{} shorter at the client{why}: {values}", span(difference));
    }
    let known = Parts::of(ours);
    let more = span(difference);
    match metric {
        Metric::E2e if in_pieces(ours).next().is_some() => {
            format!("{more} longer at the client: as TTFT, and the way of the last token back; {values}")
        }
        Metric::Ttft | Metric::E2e => format!(
            "{more} longer at the client: network, HTTP, and the server's work before its own clock begins{}{}; {values}",
            parts(&known),
            rest(difference - known.known()),
        ),
        _ => {
            format!("{more} longer at the client: tokens that wait in the server's output or on the network; {values}")
        }
    }
}

/// What is left when the known parts are taken off.
fn rest(ns: f64) -> String {
    if ns > AGREEMENT_NS { format!(", {} not known further", span(ns)) } else { String::new() }
}

const fn longer(difference: f64) -> &'static str {
    if difference < 0.0 { "shorter" } else { "longer" }
}

/// Figures that do not mean the same on both sides.
fn quirk(engine: &str, metric: Metric) -> Option<&'static str> {
    match (engine, metric) {
        ("tgi", Metric::Tpot) => Some("the server divides by all tokens and takes the first one's time in"),
        ("sglang", Metric::Itl) => Some("the server counts a gap once for each token it carried, the client once"),
        _ => None,
    }
}

/// A span of time in words, whatever its sign.
fn span(ns: f64) -> Nanos {
    Nanos::from_secs_f64(ns.abs() / 1e9)
}
