//! Exchanges without their secrets. What has been here may be shown and kept.

use schema::exchange::{Exchange, Header, Octets};
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
    // And all other text there is.
    redactor.value("an exchange", &exchange).map_err(|error| miette::Report::from(error).into())
}

fn clean(bytes: &mut Octets, redactor: &Redactor) {
    let without = redactor.bytes(bytes.raw());
    if *without != *bytes.raw() {
        *bytes = without.into_owned().into();
    }
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
    use super::*;

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
