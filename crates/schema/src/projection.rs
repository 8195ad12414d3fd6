//! What measured figures come to elsewhere: for another demand, in a year, in money. Nothing here was measured itself,
//! so each figure says how it was made, and each assumption where it comes from.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::summary::Estimate;
use crate::target::TargetName;

/// How fast people read silently, words a minute, and who says so.
pub const READING_WORDS_PER_MINUTE: (f64, &str) =
    (238.0, "silent reading of English non-fiction: Brysbaert, Journal of Memory and Language 109, 2019");
/// Tokens of a word, and who says so.
pub const TOKENS_PER_WORD: (f64, &str) =
    (1.33, "the common rule of 0.75 words a token; measure it with the model's tokenizer");

/// A number that was not measured: given alone, or with its range and its source.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(into = "Written")]
#[schemars(with = "Written")]
pub struct Assumed {
    /// The number.
    pub value: f64,
    /// The least it may be.
    pub low: Option<f64>,
    /// The most.
    pub high: Option<f64>,
    /// Where it comes from; absent: whoever gave it.
    pub source: Option<String>,
}

/// As people write it: `20`, or `{value: 20, low: 10, high: 40, source: "support desk, October"}`.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Written {
    /// The number alone.
    Alone(f64),
    /// With what is known of it.
    Whole(Whole),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whole {
    value: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

impl From<Assumed> for Written {
    fn from(assumed: Assumed) -> Self {
        let Assumed { value, low, high, source } = assumed;
        if low.is_none() && high.is_none() && source.is_none() {
            return Self::Alone(value);
        }
        Self::Whole(Whole { value, low, high, source })
    }
}

/// By what stands there, so that a parser's complaint names the wrong key and not all forms.
impl<'de> Deserialize<'de> for Assumed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Assumed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or `{value: …, low: …, high: …, source: …}`")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Assumed, E> {
        Ok(Assumed::given(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Assumed, E> {
        Ok(Assumed::given(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Assumed, E> {
        Ok(Assumed::given(value as f64))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Assumed, A::Error> {
        let Whole { value, low, high, source } = Whole::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Assumed { value, low, high, source })
    }
}

impl Assumed {
    /// A number somebody gave, without more.
    pub const fn given(value: f64) -> Self {
        Self { value, low: None, high: None, source: None }
    }

    /// Whether it is finite, not negative, and within its own range.
    pub fn is_sound(&self) -> bool {
        let (low, high) = (self.low.unwrap_or(self.value), self.high.unwrap_or(self.value));
        low >= 0.0 && low <= self.value && self.value <= high && high.is_finite()
    }
}

/// Which part of an answer a person waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// All of it: E2E.
    #[default]
    WholeAnswer,
    /// The first words: TTFT visible.
    FirstWords,
    /// The first words, and whatever comes slower than it is read.
    BeyondReading,
}

impl WaitsFor {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::WholeAnswer => "the whole answer (E2E)",
            Self::FirstWords => "the first words (TTFT visible)",
            Self::BeyondReading => "the first words, and what comes slower than it is read",
        }
    }
}

macro_rules! assumptions {
    ($($field:ident, $unit:literal, $doc:literal;)*) => {
        /// All that a projection may take for granted. What is absent has no default of ours, except where a source is
        /// told beside the figure.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct Assumptions {
            $(#[doc = $doc] #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<Assumed>,)*
            /// What a person waits for.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub waits_for: Option<WaitsFor>,
        }

        impl Assumptions {
            /// The numbers by name, with their units, in the order they are shown.
            pub fn numbers(&self) -> Vec<(&'static str, &'static str, Option<&Assumed>)> {
                vec![$((stringify!($field), $unit, self.$field.as_ref())),*]
            }

            /// These, and `over` where it says something.
            #[must_use]
            pub fn overlaid(self, over: Self) -> Self {
                Self {
                    $($field: over.$field.or(self.$field),)*
                    waits_for: over.waits_for.or(self.waits_for),
                }
            }
        }
    };
}

assumptions! {
    requests_per_day, "requests/day", "Requests that come in a day.";
    peak_factor, "times", "The busiest moment's rate ÷ the day's mean.";
    input_tokens, "tokens", "Mean input tokens of a request, where they are not those that were measured.";
    output_tokens, "tokens", "Mean output tokens of a request, where they are not those that were measured.";
    utilisation, "share", "How much of what a replica carries may be used: 0.8 keeps a fifth in hand.";
    spare_replicas, "replicas", "Replicas kept besides those that are needed.";
    replica_usd_per_hour, "USD/hour", "What one replica costs an hour: its GPUs, and what they stand in.";
    replicas, "replicas", "Replicas of a self-hosted option.";
    users, "people", "People who use it.";
    interactions_per_user_per_day, "requests/day", "Answers that one of them waits for in a day.";
    days_per_year, "days", "Days of the year on which they do.";
    user_usd_per_hour, "USD/hour", "What an hour of one of them costs.";
    reading_words_per_minute, "words/minute", "How fast people read.";
    tokens_per_word, "tokens", "Tokens of a word in the model's tokenizer.";
}

/// An assumption as it was used, for printing beside every projection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assumption {
    /// Its name, as in the file of assumptions.
    pub name: String,
    /// Its value, and its range where it has one.
    pub estimate: Estimate,
    /// Its unit, in words.
    pub unit: String,
    /// Where it comes from.
    pub source: String,
}

/// The unit of a projected figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProjectedUnit {
    /// Seconds.
    Seconds,
    /// Hours.
    Hours,
    /// Requests per second.
    RequestsPerS,
    /// Requests per day.
    RequestsPerDay,
    /// Whole things: replicas.
    Count,
    /// US dollars.
    Usd,
    /// 0 to 1.
    Share,
    /// A ratio.
    Times,
}

/// One projected figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Projection {
    /// What it is: `cost a month`.
    pub figure: String,
    /// Its unit.
    pub unit: ProjectedUnit,
    /// Its value and interval: that of what was measured, widened by the ranges of the assumptions in it.
    pub estimate: Estimate,
    /// How it was made.
    pub how: String,
}

/// All that was projected for one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetProjection {
    /// Whose.
    pub target: TargetName,
    /// Measured from a simulated engine.
    pub simulated: bool,
    /// The figures, most asked for first.
    pub projections: Vec<Projection>,
    /// What limits them.
    pub notes: Vec<String>,
}

/// What a run comes to under assumptions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Projected {
    /// The run's name.
    pub name: String,
    /// Whether any target was simulated.
    pub simulated: bool,
    /// Every assumption that was used.
    pub assumptions: Vec<Assumption>,
    /// One a target, in the plan's order.
    pub targets: Vec<TargetProjection>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assumption_is_a_number_or_says_more_and_reads_back_as_it_is_written() {
        let read = |text: &str| serde_json::from_str::<Assumptions>(text);
        let alone = read(r#"{"users": 50, "waits_for": "first_words"}"#).unwrap();
        assert_eq!(alone.users, Some(Assumed::given(50.0)));
        assert_eq!(serde_json::to_string(&alone).unwrap(), r#"{"users":50.0,"waits_for":"first_words"}"#);
        let whole = read(r#"{"users": {"value": 50, "low": 40, "source": "payroll"}}"#).unwrap();
        assert_eq!(whole.users.as_ref().unwrap().low, Some(40.0));
        assert_eq!(serde_json::from_value::<Assumptions>(serde_json::to_value(&whole).unwrap()).unwrap(), whole);
        assert!(read(r#"{"conversion_rate": 3}"#).is_err());
        assert!(read(r#"{"users": {"value": 50, "lowest": 40}}"#).is_err());
    }

    #[test]
    fn what_comes_later_wins_and_the_rest_stays() {
        let under =
            Assumptions { users: Some(Assumed::given(1.0)), replicas: Some(Assumed::given(2.0)), ..Default::default() };
        let over = Assumptions { users: Some(Assumed::given(9.0)), ..Default::default() };
        let both = under.overlaid(over);
        assert_eq!((both.users.unwrap().value, both.replicas.unwrap().value), (9.0, 2.0));
    }

    #[test]
    fn a_range_must_hold_its_value() {
        let sound = |value, low, high| Assumed { value, low, high, source: None }.is_sound();
        assert!(sound(1.0, None, None) && sound(1.0, Some(0.5), Some(1.0)) && sound(0.0, None, None));
        for (value, low, high) in [
            (-1.0, None, None),
            (1.0, Some(2.0), None),
            (1.0, None, Some(0.5)),
            (f64::NAN, None, None),
            (1.0, None, Some(f64::INFINITY)),
        ] {
            assert!(!sound(value, low, high), "{value} {low:?} {high:?}");
        }
    }
}
