//! Exchanges without their secrets. What has been here may be shown and kept.

mod escaped;

use schema::exchange::{Exchange, Header, Octets};
use schema::record::Outcome;
use schema::text::Untrusted;
use store::Redactor;

use crate::outcome::Failure;

/// Ends of words of a header's name that tell that its value is a secret, or as good as one.
const TELLING: [&str; 16] = [
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "cookie2",
    "credential",
    "credentials",
    "jwt",
    "key",
    "passwd",
    "password",
    "secret",
    "session",
    "signature",
    "sid",
    "token",
];

/// What stands in the place of bytes that hold a part of a secret.
const MASK: &str = "***";

/// The exchange without what `redactor` knows, and without the values of headers that hold secrets by their names. `behind`
/// are the texts that its rest holds.
pub(super) fn without(
    (mut exchange, behind): (Exchange, Vec<Untrusted>),
    redactor: &Redactor,
) -> Result<Exchange, Failure> {
    let answered = exchange.answer.iter_mut().flat_map(|answer| &mut answer.headers);
    for header in exchange.request.headers.iter_mut().chain(answered) {
        if is_telling(header) {
            header.value = None;
        }
    }
    hide_what_is_spelled_out(&mut exchange, &behind, redactor);
    let octets = exchange.parts.iter_mut().map(|part| &mut part.raw);
    let values = exchange.request.headers.iter_mut().filter_map(|header| header.value.as_mut());
    for bytes in octets.chain(values).chain([&mut exchange.rest, &mut exchange.request.body]) {
        clean(bytes, redactor);
    }
    for header in exchange.answer.iter_mut().flat_map(|answer| &mut answer.headers) {
        header.value.iter_mut().for_each(|value| clean(value, redactor));
    }
    exchange.parts.iter_mut().filter_map(|part| part.text.as_mut()).for_each(|text| clean_text(text, redactor));
    if let Outcome::Failed(failure) = &mut exchange.record.outcome {
        clean_text(&mut failure.message, redactor);
    }
    keep_away_from_the_cut(&mut exchange);
    // And all other text there is.
    redactor.value("an exchange", &exchange).map_err(|error| miette::Report::from(error).into())
}

fn clean(bytes: &mut Octets, redactor: &Redactor) {
    let without = redactor.bytes(bytes.raw());
    let without = escaped::without(&without, redactor).unwrap_or_else(|| without.into_owned());
    if without != bytes.raw() {
        *bytes = without.into();
    }
}

/// What is escaped in a text; what is not is found with all other text.
fn clean_text(text: &mut Untrusted, redactor: &Redactor) {
    if let Some(masked) = escaped::without(text.raw().as_bytes(), redactor) {
        *text = Untrusted::bounded(String::from_utf8_lossy(&masked), usize::MAX);
    }
}

/// Bytes before the end of what was kept in which a secret may lie that goes on in what was not: no key is as long, not
/// even with all its letters escaped.
const MARGIN: usize = 64 << 10;

/// Leaves out what a part of a secret may be in, where a body was not kept to its end. What lies whole before it has been
/// found by now.
fn keep_away_from_the_cut(exchange: &mut Exchange) {
    let mut surplus = if exchange.left_out_bytes > 0 { MARGIN } else { 0 };
    let mut shorten = |octets: &mut Octets| {
        let keep = octets.len().saturating_sub(surplus);
        let dropped = octets.len() - keep;
        surplus -= dropped;
        if dropped > 0 {
            *octets = octets.raw()[..keep].into();
        }
        dropped
    };
    let mut left_out = shorten(&mut exchange.rest);
    let mut cut_through = exchange.parts.len();
    for (number, part) in exchange.parts.iter_mut().enumerate().rev() {
        match shorten(&mut part.raw) {
            0 => break,
            some => (left_out, cut_through) = (left_out + some, number),
        }
    }
    // What is left of an event is none.
    let of_event: Vec<u8> = exchange.parts.drain(cut_through..).flat_map(|part| part.raw.raw().to_vec()).collect();
    if !of_event.is_empty() {
        exchange.rest = of_event.into();
    }
    exchange.left_out_bytes += left_out as u64;
}

fn is_telling(header: &Header) -> bool {
    let name = header.name.raw().to_ascii_lowercase();
    name.split(['-', '_']).any(|word| TELLING.iter().any(|end| word.ends_with(end)))
}

/// Events that spell a secret out between them, none of which holds all of it.
fn hide_what_is_spelled_out(exchange: &mut Exchange, behind: &[Untrusted], redactor: &Redactor) {
    let texts: Vec<_> =
        exchange.parts.iter().map(|part| part.text.clone().unwrap_or_default()).chain(behind.iter().cloned()).collect();
    let Some(masked) = redactor.across(&texts) else { return };
    let mut behind_too = false;
    for (at, (before, after)) in texts.iter().zip(masked).enumerate() {
        if *before == after {
            continue;
        }
        match exchange.parts.get_mut(at) {
            Some(part) => {
                part.text = Some(after);
                part.raw = MASK.into();
            }
            None => behind_too = true,
        }
    }
    if behind_too {
        exchange.rest = MASK.into();
    }
}

#[cfg(test)]
mod tests {
    use schema::exchange::{Part, Sent};
    use schema::record::Record;
    use schema::target::Target;
    use schema::units::Moment;

    use super::*;

    /// What is left of an answer of these events and this rest, of which more was not kept.
    #[track_caller]
    fn check_cut(events: &[usize], rest: usize, expected: (&[usize], usize, usize)) {
        let url = "http://127.0.0.1:1/v1".parse().unwrap();
        let target = Target::plain("a".parse().unwrap(), "openai-compatible", "m", url);
        let octets = |length: usize| Octets::from(vec![b'x'; length]);
        let part = |length: &usize| Part { raw: octets(*length), text: Some("x".into()) };
        let sent = Sent { method: "POST".into(), target: "/".into(), headers: Vec::new(), body: octets(0) };
        let mut exchange = Exchange {
            at: jiff::Timestamp::UNIX_EPOCH,
            record: Record::not_sent(target.name.clone(), 0, Moment::EPOCH),
            target,
            request: sent,
            answer: None,
            reads: Vec::new(),
            parts: events.iter().map(part).collect(),
            rest: octets(rest),
            left_out_bytes: 1,
        };
        keep_away_from_the_cut(&mut exchange);
        let parts: Vec<_> = exchange.parts.iter().map(|part| part.raw.len()).collect();
        let left_out = usize::try_from(exchange.left_out_bytes).unwrap() - 1;
        assert_eq!((&parts[..], exchange.rest.len(), left_out), expected);
    }

    #[test]
    fn what_may_hold_the_beginning_of_a_key_before_the_cut_is_not_kept() {
        check_cut(&[70_000, 100], MARGIN + 5, (&[70_000, 100], 5, MARGIN));
        check_cut(&[70_000, 100], MARGIN, (&[70_000, 100], 0, MARGIN));
        check_cut(&[70_000, 100, 100], 10, (&[], 70_000 + 210 - MARGIN, MARGIN));
        check_cut(&[20, 70_000, 100], 0, (&[20], 70_000 + 100 - MARGIN, MARGIN));
        check_cut(&[100, 100], 3, (&[], 0, 203));
    }

    #[track_caller]
    fn check(name: &str, expected: bool) {
        let header = Header { name: name.into(), value: None };
        assert_eq!(is_telling(&header), expected, "{name}");
    }

    #[test]
    fn headers_that_hold_secrets_are_known_by_their_names() {
        for name in ["Authorization", "Set-Cookie", "x-api-key", "X-Auth-Token", "proxy-authorization", "x_session_id"]
        {
            check(name, true);
        }
        for name in ["X-ApiKey", "X-AccessToken", "x-amzn-oauth", "JSESSIONSID", "cf-access-jwt-assertion"] {
            check(name, true);
        }
        for name in ["x-ratelimit-remaining-tokens", "content-type", "www-authenticate", "x-request-id", "keep-alive"] {
            check(name, false);
        }
    }
}
