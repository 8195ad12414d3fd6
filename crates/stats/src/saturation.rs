//! Whether a target cannot keep up with what it is offered.

use schema::units::{Moment, Nanos};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::moments;

/// One request of an open loop whose first content has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When it was due.
    pub at: Moment,
    /// TTFT from schedule, so that waiting for a place counts.
    pub ttft: Nanos,
}

/// Requests below which nothing is said.
const FEWEST: usize = 60;

/// The first part of a step, in which an empty target fills, says nothing.
const FILLING: f64 = 0.25;

/// Stretches of equal length into which the rest is divided: long ones depend little on each other.
const STRETCHES: usize = 12;

/// Probability left to chance, on one side, for each of both slopes. Looked at again and again while a step
/// goes on, so that it is far below 5 %.
const CHANCE: f64 = 0.005;

/// Standard deviations of a random walk that chance does not exceed: [`CHANCE`] of the normal distribution.
const WALK: f64 = 2.58;

/// Growth over the rest of the step ÷ its mean level, from which on it is no matter of taste.
const LARGE: f64 = 0.5;

/// Why the target cannot keep up, with numbers; `None` while nothing is certain. `in_flight`: requests that
/// are due and not over, those that wait for a place included, at instants of one step.
///
/// Both the requests in flight and TTFT must grow: by ordinary least squares over the means of twelve equal
/// stretches of the last three quarters (batch means, as in Law, *Simulation Modeling and Analysis*, 2015, 9.5.3),
/// with the slope's standard error multiplied by √((1 + r) ÷ (1 − r)) for a first autocorrelation r of the
/// residuals, the lower bound of each slope at 99.5 % must lie above zero, and the growth over that time above half
/// the mean level. The requests in flight must besides have grown by more than arrivals and departures that only
/// happen to differ add up to, which a straight line cannot tell from growth: 2.58 times the root of both their numbers,
/// the standard deviation of a random walk of as many steps.
pub fn saturation(seen: &[Seen], in_flight: &[(Moment, u32)]) -> Option<String> {
    if seen.len() < FEWEST {
        return None;
    }
    let window = Window::of(in_flight.iter().map(|look| look.0))?;
    let waiting = growth(&window.means(in_flight.iter().map(|&(at, n)| (at, f64::from(n)))))?;
    // Those due last may have no answer yet, so this is a window of its own.
    let answered = Window::of(seen.iter().map(|one| one.at))?;
    let ttft = growth(&answered.means(seen.iter().map(|one| (one.at, one.ttft.0 as f64))))?;
    let came = seen.iter().filter(|one| one.at >= window.begin).count() as f64;
    let is_no_walk = waiting.to - waiting.from > WALK * (2.0 * came).sqrt();
    (waiting.is_certain() && ttft.is_certain() && is_no_walk).then(|| {
        format!(
            "requests in flight grew from {:.0} to {:.0} in {}, and TTFT from {} to {}",
            waiting.from,
            waiting.to,
            window.length,
            text(ttft.from),
            text(ttft.to)
        )
    })
}

fn text(nanos: f64) -> Nanos {
    Nanos::from_secs_f64(nanos / 1e9)
}

/// The part of a step that is looked at.
struct Window {
    begin: Moment,
    length: Nanos,
}

impl Window {
    fn of(instants: impl Iterator<Item = Moment> + Clone) -> Option<Self> {
        let (first, last) = (instants.clone().min()?, instants.max()?);
        let whole = last - first;
        let filling = Nanos::from_secs_f64(whole.as_secs_f64() * FILLING);
        Some(Self { begin: first + filling, length: whole.saturating_sub(filling) })
    }

    /// The mean of the values in each stretch that has any, with the stretch's number.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the stretches")]
    fn means(&self, values: impl Iterator<Item = (Moment, f64)>) -> Vec<(f64, f64)> {
        let mut sums = [(0.0, 0.0); STRETCHES];
        let length = self.length.0.max(1) as f64;
        for (at, value) in values.filter(|(at, _)| *at >= self.begin) {
            let place = ((at - self.begin).0 as f64 / length * STRETCHES as f64) as usize;
            let sum = &mut sums[place.min(STRETCHES - 1)];
            *sum = (sum.0 + value, sum.1 + 1.0);
        }
        let filled = sums.iter().enumerate().filter(|(_, sum)| sum.1 > 0.0);
        filled.map(|(place, sum)| (place as f64 + 0.5, sum.0 / sum.1)).collect()
    }
}

/// A straight line through the means of the stretches.
struct Growth {
    from: f64,
    to: f64,
    level: f64,
    /// Lower bound of the growth from one stretch to the next.
    least: f64,
}

impl Growth {
    fn is_certain(&self) -> bool {
        self.least > 0.0 && self.to - self.from.max(0.0) > LARGE * self.level
    }
}

fn growth(means: &[(f64, f64)]) -> Option<Growth> {
    let freedom = means.len().checked_sub(2).filter(|&freedom| freedom >= STRETCHES / 2)? as f64;
    let (x, y): (Vec<f64>, Vec<f64>) = means.iter().copied().unzip();
    let (middle, level) = (moments::mean(&x), moments::mean(&y));
    let spread: f64 = x.iter().map(|x| (x - middle).powi(2)).sum();
    let slope = x.iter().zip(&y).map(|(x, y)| (x - middle) * (y - level)).sum::<f64>() / spread;
    let residuals: Vec<f64> = x.iter().zip(&y).map(|(x, y)| y - level - slope * (x - middle)).collect();
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let r = moments::autocorrelation(&residuals).clamp(0.0, 0.9);
    let error = (squares / freedom / spread * (1.0 + r) / (1.0 - r)).sqrt();
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(1.0 - CHANCE);
    let at = |place: f64| level + slope * (place - middle);
    Some(Growth { from: at(0.0).max(0.0), to: at(STRETCHES as f64), level, least: slope - t * error })
}

#[cfg(test)]
mod tests;
