//! What a wait means to the person who waits: measured times beside limits that others have found.

use schema::metric::Metric;
use schema::projection::{READING_WORDS_PER_MINUTE, TOKENS_PER_WORD, WaitsFor};
use schema::record::Record;
use schema::units::Nanos;

use crate::metric_values;

const NANOS: f64 = 1e9;

/// A wait up to which something holds for people, and beyond which it does not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// Seconds.
    pub seconds: f64,
    /// What holds below it.
    pub below: &'static str,
    /// What happens beyond it.
    pub beyond: &'static str,
}

/// Who found [`THRESHOLDS`].
pub const THRESHOLDS_SOURCE: &str = "Nielsen, 1993";

/// Limits of response times, shortest first: J. Nielsen, *Usability Engineering*, 1993, chapter 5.
pub const THRESHOLDS: [Threshold; 3] = [
    Threshold { seconds: 0.1, below: "it feels instantaneous", beyond: "it does not feel instantaneous any more" },
    Threshold { seconds: 1.0, below: "the flow of thought is kept", beyond: "the flow of thought breaks" },
    Threshold { seconds: 10.0, below: "attention is kept", beyond: "attention is lost" },
];

/// What one answer meant to the person who waited for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Felt {
    /// The part of the answer that was waited for.
    pub waits_for: WaitsFor,
    /// How long that took.
    pub wait: Nanos,
    /// Output speed ÷ the speed of reading; absent where the answer has no pace.
    pub times_reading: Option<f64>,
}

/// How `record`'s answer was felt by someone who waits for that part of it; `None` of one that did not complete.
/// Reading is [`READING_WORDS_PER_MINUTE`] at [`TOKENS_PER_WORD`].
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time that was measured, rounded")]
pub fn felt(record: &Record, waits_for: WaitsFor) -> Option<Felt> {
    let one = |metric| metric_values(record, metric).next();
    let wait = match waits_for {
        WaitsFor::WholeAnswer => one(Metric::E2e),
        WaitsFor::FirstWords => one(Metric::TtftVisible),
        WaitsFor::BeyondReading => beyond_reading(record, NANOS / reading_speed()),
    };
    let times_reading = one(Metric::OutputSpeed).map(|speed| speed / reading_speed());
    Some(Felt { waits_for, wait: Nanos(wait?.round() as u64), times_reading })
}

/// Tokens per second that people read.
fn reading_speed() -> f64 {
    READING_WORDS_PER_MINUTE.0 * TOKENS_PER_WORD.0 / 60.0
}

/// TTFT visible, and by how much the rest came later than someone who reads a token in `token` nanoseconds needs it.
pub(crate) fn beyond_reading(record: &Record, token: f64) -> Option<f64> {
    let first = metric_values(record, Metric::TtftVisible).next()?;
    let whole = metric_values(record, Metric::E2e).next()?;
    let tokens = metric_values(record, Metric::OutputTokens).next()?;
    Some(first + (whole - first - tokens * token).max(0.0))
}

impl Felt {
    /// What holds at that wait, and by which limit: `below 1 s the flow of thought is kept (Nielsen, 1993)`.
    pub fn means(&self) -> String {
        let waited = self.wait.0 as f64 / NANOS;
        let [.., last] = THRESHOLDS;
        match THRESHOLDS.iter().find(|threshold| waited <= threshold.seconds) {
            Some(threshold) => format!("up to {} s {} ({THRESHOLDS_SOURCE})", threshold.seconds, threshold.below),
            None => format!("beyond {} s {} ({THRESHOLDS_SOURCE})", last.seconds, last.beyond),
        }
    }

    /// How long `person` waited and what that means, in a sentence.
    pub fn wait_in_words(&self, person: &str) -> String {
        let waited = match self.waits_for {
            WaitsFor::WholeAnswer => format!("{person} waits {} for the whole answer", self.wait),
            WaitsFor::FirstWords => format!("{person} waits {} for the first words", self.wait),
            WaitsFor::BeyondReading => format!("{person} waits {} in all for something to read", self.wait),
        };
        format!("{waited}: {}.", self.means())
    }

    /// [`Felt::wait_in_words`], and how fast the text came beside how fast people read.
    pub fn sentence(&self, person: &str) -> String {
        let pace = self.times_reading.map(|times| {
            let digits = usize::from(times < 10.0);
            format!(
                " The text comes {times:.digits$} times as fast as people read ({:.0} words/min, Brysbaert, 2019; {} tokens a word).",
                READING_WORDS_PER_MINUTE.0, TOKENS_PER_WORD.0
            )
        });
        format!("{}{}", self.wait_in_words(person), pace.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wait: Nanos, expected: &str) {
        let felt = Felt { waits_for: WaitsFor::FirstWords, wait, times_reading: None };
        assert_eq!(felt.means(), expected);
    }

    #[test]
    fn a_wait_is_held_against_the_nearest_limit_above_it() {
        check(Nanos::ZERO, "up to 0.1 s it feels instantaneous (Nielsen, 1993)");
        check(Nanos::from_millis(100), "up to 0.1 s it feels instantaneous (Nielsen, 1993)");
        check(Nanos::from_millis(101), "up to 1 s the flow of thought is kept (Nielsen, 1993)");
        check(Nanos::from_secs(10), "up to 10 s attention is kept (Nielsen, 1993)");
        check(Nanos::from_secs(11), "beyond 10 s attention is lost (Nielsen, 1993)");
        check(Nanos(u64::MAX), "beyond 10 s attention is lost (Nielsen, 1993)");
    }

    #[test]
    fn limits_stand_in_order() {
        assert!(THRESHOLDS.windows(2).all(|pair| pair[0].seconds < pair[1].seconds));
    }

    #[test]
    fn a_sentence_tells_what_was_waited_for_and_how_fast_it_came() {
        let felt = |waits_for, times_reading| Felt { waits_for, wait: Nanos::from_millis(340), times_reading };
        insta::assert_snapshot!(felt(WaitsFor::FirstWords, Some(12.04)).sentence("The customer"), @"The customer waits 340 ms for the first words: up to 1 s the flow of thought is kept (Nielsen, 1993). The text comes 12 times as fast as people read (238 words/min, Brysbaert, 2019; 1.33 tokens a word).");
        insta::assert_snapshot!(felt(WaitsFor::BeyondReading, Some(0.84)).sentence("The writer"), @"The writer waits 340 ms in all for something to read: up to 1 s the flow of thought is kept (Nielsen, 1993). The text comes 0.8 times as fast as people read (238 words/min, Brysbaert, 2019; 1.33 tokens a word).");
        insta::assert_snapshot!(felt(WaitsFor::WholeAnswer, None).sentence("The analyst"), @"The analyst waits 340 ms for the whole answer: up to 1 s the flow of thought is kept (Nielsen, 1993).");
    }
}
