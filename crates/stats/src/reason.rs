//! Why requests failed, in the words of the server or the system.

use std::collections::{BTreeMap, HashMap};

use schema::record::{FailureClass, Outcome, Record};
use schema::summary::FailureReason;
use schema::text::Untrusted;

/// Bytes of a reason that are kept.
const MOST_BYTES: usize = 300;

/// A word that holds a digit and is longer than this is taken for an id, a time or a count.
const SHORT: usize = 3;

/// What was said most often of each class of failures, and how often; of two that were said equally often, the first.
pub(crate) fn most_frequent(records: &[&Record]) -> BTreeMap<FailureClass, FailureReason> {
    let mut kinds: Vec<(FailureClass, FailureReason)> = Vec::new();
    let mut places: HashMap<(FailureClass, String), usize> = HashMap::new();
    for record in records {
        let Outcome::Failed(failure) = &record.outcome else { continue };
        let kind = (failure.class, pattern(failure.message.raw()));
        let place = *places.entry(kind).or_insert_with(|| {
            let message = one_line(failure.message.raw());
            kinds.push((failure.class, FailureReason { message, requests: 0 }));
            kinds.len() - 1
        });
        kinds[place].1.requests += 1;
    }
    let mut most = BTreeMap::new();
    for (class, reason) in kinds.into_iter().filter(|(_, reason)| !reason.message.raw().is_empty()) {
        let known = most.entry(class).or_insert_with(|| reason.clone());
        if reason.requests > known.requests {
            *known = reason;
        }
    }
    most
}

/// A text without what differs from one failure to the next of the same kind: `Please try again in …`.
fn pattern(text: &str) -> String {
    let word = |word: &str| {
        let differs = word.len() > SHORT && word.bytes().any(|byte| byte.is_ascii_digit());
        if differs { "…" } else { word }.to_owned()
    };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

fn one_line(text: &str) -> Untrusted {
    Untrusted::bounded(text.split_whitespace().collect::<Vec<_>>().join(" "), MOST_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::failed;

    /// A failure of that class, of which that was said.
    fn said(class: FailureClass, message: &str) -> Record {
        let mut record = failed(0, class);
        let Outcome::Failed(failure) = &mut record.outcome else { unreachable!("it failed") };
        failure.message = message.into();
        record
    }

    #[track_caller]
    fn check(records: &[Record], expected: &[(FailureClass, &str, u64)]) {
        let most = most_frequent(&records.iter().collect::<Vec<_>>());
        let told: Vec<_> = most.iter().map(|(class, r)| (*class, r.message.raw(), r.requests)).collect();
        assert_eq!(told, expected);
    }

    use FailureClass::{RateLimited, ServerError, Truncated};

    #[test]
    fn each_class_has_its_most_frequent_reason() {
        let records = [
            said(ServerError, "worker died"),
            said(Truncated, "closed"),
            said(ServerError, "CUDA out of memory"),
            said(ServerError, "CUDA out\n of  memory"),
        ];
        check(&records, &[(ServerError, "CUDA out of memory", 2), (Truncated, "closed", 1)]);
    }

    #[test]
    fn reasons_that_differ_in_ids_and_times_are_one() {
        let records = [
            said(RateLimited, "slow down"),
            said(RateLimited, "try again in 1.25s (req_01a)"),
            said(RateLimited, "try again in 12.5s (req_77b)"),
        ];
        check(&records, &[(RateLimited, "try again in 1.25s (req_01a)", 2)]);
    }

    #[test]
    fn of_equals_the_first_counts_and_silence_is_no_reason() {
        check(&[said(ServerError, "b"), said(ServerError, "a")], &[(ServerError, "b", 1)]);
        check(&[said(ServerError, ""), said(ServerError, " ")], &[]);
    }

    #[test]
    fn other_statuses_are_other_reasons() {
        let [one, other] = [500, 502].map(|status| said(ServerError, &format!("status {status} without a message")));
        check(&[one, other.clone(), other], &[(ServerError, "status 502 without a message", 2)]);
    }

    #[test]
    fn a_page_of_text_is_cut() {
        let most = most_frequent(&[&said(ServerError, &"x ".repeat(500))]);
        assert_eq!(most[&ServerError].message.raw().chars().count(), MOST_BYTES + 1);
    }
}
