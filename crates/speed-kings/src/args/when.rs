//! Moments as people name them: a day, an instant, or so long ago.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A span of days, hours or less: `30d`, `12h`, `2w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age(SignedDuration);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no span of time: write it like `30d`, `12h` or `2w`");
        let text_of = text.trim();
        let digits = text_of.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = text_of[..digits].parse().map_err(|_| wrong())?;
        let seconds = match &text_of[digits..] {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err(wrong()),
        };
        number.checked_mul(seconds).map(|seconds| Self(SignedDuration::from_secs(seconds))).ok_or_else(wrong)
    }
}

impl Age {
    /// That long before `now`; before all time where it is too long.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.0).unwrap_or(Timestamp::MIN)
    }
}

/// A moment, or a day of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// So long ago.
    Ago(Age),
    /// A whole day.
    Day(Date),
    /// An instant.
    At(Timestamp),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let day = || text.parse().map(Self::Day).ok();
        let instant = || text.parse().map(Self::At).ok();
        let ago = || text.parse().map(Self::Ago).ok();
        // An instant first: a day is how every instant begins.
        instant().or_else(day).or_else(ago).ok_or_else(|| {
            format!(
                "`{text}` is no time: write a day (`2026-11-20`), an instant (`2026-11-20T08:00:00Z`) or an age (`7d`)"
            )
        })
    }
}

impl When {
    /// Its first moment.
    pub(crate) fn begins(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(age) => age.before(now),
            Self::Day(day) => start_of(day),
            Self::At(moment) => moment,
        }
    }

    /// The first moment after it: a day is over when the next begins.
    pub(crate) fn ends(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Day(day) => day.tomorrow().map_or(Timestamp::MAX, start_of),
            Self::Ago(_) | Self::At(_) => self.begins(now),
        }
    }
}

fn start_of(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |midnight| midnight.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, begins: Option<&str>, ends: &str) {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let when: Option<When> = text.parse().ok();
        assert_eq!(when.map(|when| when.begins(now).to_string()).as_deref(), begins, "{text}");
        assert_eq!(when.map_or_else(String::new, |when| when.ends(now).to_string()), ends, "{text}");
    }

    #[test]
    fn moments_are_days_instants_and_ages() {
        check("7d", Some("2026-11-15T12:00:00Z"), "2026-11-15T12:00:00Z");
        check(" 36h ", Some("2026-11-21T00:00:00Z"), "2026-11-21T00:00:00Z");
        check("2w", Some("2026-11-08T12:00:00Z"), "2026-11-08T12:00:00Z");
        check("2026-11-20", Some("2026-11-20T00:00:00Z"), "2026-11-21T00:00:00Z");
        check("2026-11-20T08:30:00Z", Some("2026-11-20T08:30:00Z"), "2026-11-20T08:30:00Z");
        for wrong in ["", "d", "7", "-7d", "yesterday", "9999999999999999999d", "2026-13-01", "7dd"] {
            check(wrong, None, "");
        }
    }

    #[test]
    fn an_age_beyond_all_time_is_before_everything() {
        let age: Age = "99999999999d".parse().unwrap();
        assert_eq!(age.before(Timestamp::UNIX_EPOCH), Timestamp::MIN);
    }
}
