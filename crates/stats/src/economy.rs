//! What a single exchange came to: tokens, money, and how much of what went over the wire was worth it.

use schema::exchange::Exchange;
use schema::record::TokenSource;
use schema::units::Usd;

use crate::cost;

/// What an exchange came to. What cannot be told is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Economy {
    /// Prompt tokens.
    pub input_tokens: Option<u64>,
    /// Of these, tokens that the server took from its cache.
    pub cached_tokens: Option<u64>,
    /// Generated tokens, reasoning included.
    pub output_tokens: Option<u64>,
    /// Of these, reasoning.
    pub reasoning_tokens: Option<u64>,
    /// Where the counts come from.
    pub source: Option<TokenSource>,
    /// What it cost, by the target's price.
    pub cost: Option<Usd>,
    /// What a thousand of the same cost.
    pub cost_per_1k: Option<Usd>,
    /// Generated tokens that one dollar pays for, the prompt included in the price.
    pub tokens_per_usd: Option<f64>,
    /// Generated tokens ÷ content events.
    pub tokens_per_event: Option<f64>,
    /// Bytes of the answer's body ÷ generated tokens.
    pub bytes_per_token: Option<f64>,
    /// Bytes of generated text in the answer: what all the others are there for. Absent where not all of the answer
    /// was kept, and where vectors were asked for.
    pub payload_bytes: Option<u64>,
    /// Bytes of the answer's body that are not text: names of fields, ids, framing of events.
    pub overhead_bytes: Option<u64>,
    /// Payload ÷ the answer's body.
    pub efficiency: Option<f64>,
}

impl Economy {
    /// Of one exchange.
    pub fn of(exchange: &Exchange) -> Self {
        let record = &exchange.record;
        let usage = record.usage.unwrap_or_default();
        let input = record.tokens.and_then(|tokens| tokens.input).or(usage.input_tokens);
        let output = record.tokens.map(|tokens| tokens.output).or(usage.output_tokens);
        let price = exchange.target.price.as_ref().filter(|_| input.or(output).is_some());
        let cost = price.map(|price| cost::of_record(price, record));
        let events = record.events.content().count() as u64;
        let payload = is_whole(exchange).then(|| payload_bytes(exchange));
        let body = record.response_bytes;
        Self {
            input_tokens: input,
            cached_tokens: usage.cached_input_tokens,
            output_tokens: output,
            reasoning_tokens: usage.reasoning_tokens,
            source: record.tokens.map(|tokens| tokens.source),
            cost,
            cost_per_1k: cost.map(|cost| cost * 1000),
            tokens_per_usd: output.zip(cost).and_then(|(output, cost)| cost::per_dollar(output, cost)),
            tokens_per_event: output.and_then(|output| ratio(output, events)),
            bytes_per_token: output.and_then(|output| ratio(body, output)),
            payload_bytes: payload,
            overhead_bytes: payload.map(|payload| body.saturating_sub(payload)),
            efficiency: payload.and_then(|payload| ratio(payload, body)),
        }
    }
}

/// Whether all text of the answer is at hand.
fn is_whole(exchange: &Exchange) -> bool {
    exchange.left_out_bytes == 0
        && !exchange.target.dialect.embeds()
        && exchange.parts.len() == exchange.record.events.len()
}

fn payload_bytes(exchange: &Exchange) -> u64 {
    exchange.parts.iter().filter_map(|part| part.text.as_ref()).map(|text| text.raw().len() as u64).sum()
}

fn ratio(of: u64, to: u64) -> Option<f64> {
    (to > 0).then(|| of as f64 / to as f64)
}

#[cfg(test)]
mod tests {
    use schema::event::{Event, EventKind, Events, Stamp};
    use schema::exchange::{Octets, Part, Sent};
    use schema::record::{Record, TokenCounts, Usage};
    use schema::text::Untrusted;

    use super::*;
    use crate::fixture;

    fn exchange(price: bool) -> Exchange {
        let mut target = fixture::target("a");
        target.price = price.then(fixture::price);
        let event = |kind| Event {
            arrival: fixture::ms(10),
            lag_ns: 0,
            bytes: 50,
            tokens: 0,
            kind,
            stamp: Stamp::Kernel,
            shared_read: false,
        };
        let part = |text: Option<&str>| Part { raw: Octets::default(), text: text.map(Untrusted::from) };
        Exchange {
            at: jiff::Timestamp::UNIX_EPOCH,
            target,
            request: Sent { method: "POST".into(), target: "/".into(), headers: Vec::new(), body: Octets::default() },
            answer: None,
            reads: Vec::new(),
            parts: vec![part(Some("four")), part(Some("äö")), part(None)],
            rest: Octets::default(),
            left_out_bytes: 0,
            record: Record {
                events: [EventKind::Text, EventKind::Text, EventKind::Other].map(event).into_iter().collect::<Events>(),
                response_bytes: 160,
                usage: Some(Usage { cached_input_tokens: Some(500), ..Usage::default() }),
                tokens: Some(TokenCounts { input: Some(1500), output: 4, source: TokenSource::ServerUsage }),
                ..fixture::record(0, &[])
            },
        }
    }

    #[test]
    fn an_exchange_comes_to_tokens_money_and_bytes() {
        let economy = Economy::of(&exchange(true));
        // 1000 × $1 + 500 × $0.1 + 4 × $2, a million each.
        assert_eq!(economy.cost.unwrap().0.normalize().to_string(), "0.001058");
        assert_eq!(economy.cost_per_1k.unwrap().0.normalize().to_string(), "1.058");
        assert!((economy.tokens_per_usd.unwrap() - 4.0 / 0.001_058).abs() < 1e-6);
        assert_eq!((economy.tokens_per_event, economy.bytes_per_token), (Some(2.0), Some(40.0)));
        assert_eq!((economy.payload_bytes, economy.overhead_bytes), (Some(8), Some(152)));
        assert_eq!(economy.efficiency, Some(0.05));
    }

    #[test]
    fn what_nobody_knows_is_not_made_up() {
        assert_eq!(Economy::of(&exchange(false)).cost, None);
        let mut nothing = exchange(true);
        nothing.record.tokens = None;
        nothing.record.usage = None;
        nothing.record.response_bytes = 0;
        nothing.left_out_bytes = 1;
        assert_eq!(Economy::of(&nothing), Economy::default());
    }
}
