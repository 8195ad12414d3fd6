//! The stretch of values that a chart shows.

/// How values are spread over a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Equal differences are equally far apart.
    #[default]
    Linear,
    /// Equal ratios are: for times, which have long tails. Of values above zero.
    Logarithmic,
}

/// The stretch of values that a chart shows, not empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    low: f64,
    high: f64,
    scale: Scale,
}

impl Range {
    /// From `low` to `high`. `None` unless both are finite, in order, and above zero where the scale asks for that. A
    /// single value gets some room around it.
    pub fn new(low: f64, high: f64, scale: Scale) -> Option<Self> {
        let fits = low.is_finite() && high.is_finite() && low <= high && (scale == Scale::Linear || low > 0.0);
        let room = if low < high { 0.0 } else { (low.abs() * 0.05).max(f64::MIN_POSITIVE) };
        let room = if low == 0.0 && room > 0.0 { (0.0, 1.0) } else { (room, room) };
        fits.then_some(Self { low: low - room.0, high: high + room.1, scale })
    }

    /// All of `values` that such a scale can show. `None` when there are none.
    pub fn covering(values: impl IntoIterator<Item = f64>, scale: Scale) -> Option<Self> {
        let shown = |value: &f64| value.is_finite() && (scale == Scale::Linear || *value > 0.0);
        let ends = values.into_iter().filter(shown).fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        ends.and_then(|(low, high)| Self::new(low, high, scale))
    }

    /// Its lower end.
    pub const fn low(&self) -> f64 {
        self.low
    }

    /// Its upper end.
    pub const fn high(&self) -> f64 {
        self.high
    }

    /// Where `value` lies: 0 at the lower end, 1 at the upper; what is outside counts as the nearer end.
    pub fn place(&self, value: f64) -> f64 {
        let place = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        if place.is_nan() { 0.0 } else { place.clamp(0.0, 1.0) }
    }

    /// The value at `place`, the inverse of [`Self::place`].
    pub fn value(&self, place: f64) -> f64 {
        match self.scale {
            Scale::Linear => self.low + place * (self.high - self.low),
            Scale::Logarithmic => self.low * (self.high / self.low).powf(place),
        }
    }

    /// Which of `parts` equal parts `value` falls into.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place is between 0 and 1")]
    pub(super) fn part(&self, value: f64, parts: usize) -> usize {
        ((self.place(value) * parts as f64) as usize).min(parts.saturating_sub(1))
    }
}
