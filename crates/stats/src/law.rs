//! The universal scalability law fitted to a curve.

use schema::curve::Law;
use schema::summary::Estimate;

use crate::interval::t_point;
use crate::moments;

/// Points below which a fit says little.
const FEW: usize = 5;

/// Share of the variance below which a fit is called bad.
const GOOD: f64 = 0.9;

/// Steps of an iteration at most; it takes about ten.
const STEPS: usize = 200;

/// λ's logarithm, σ and κ.
type Parameters = [f64; 3];

/// The law X(N) = λN ÷ (1 + σ(N − 1) + κN(N − 1)) (N. J. Gunther, *Guerrilla Capacity Planning*, 2007, ch. 6) fitted
/// to points of (mean requests in flight, completed requests per second); `None` below three different numbers in
/// flight.
///
/// By Levenberg and Marquardt's damped least squares over ln X, so that errors count in proportion, with σ and κ
/// held at zero where they would fall below it; from the linearised form as a start. Intervals of the parameters
/// are profile likelihood's: all values with which the best fit's sum of squares grows by no more than
/// t²(n − 3) times the residual variance (Bates & Watts, *Nonlinear Regression Analysis*, 1988, 6.1). Those of the
/// peak are the delta method's on logarithms, open above where κ may be nil.
pub fn fit_law(points: &[(f64, f64)]) -> Option<Law> {
    let mut points: Vec<(f64, f64)> =
        points.iter().copied().filter(|&(n, x)| is_positive(n) && is_positive(x)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let different = points.chunk_by(|a, b| (b.0 - a.0) < 1e-9 * b.0).count();
    if different < 3 {
        return None;
    }
    let data = Data { points };
    let best = data.fit([None; 3])?;
    let [lambda, contention, coherency] = [0, 1, 2].map(|place| data.profile(&best, place));
    let exponential =
        |e: Estimate| Estimate { value: e.value.exp(), low: e.low.map(f64::exp), high: e.high.map(f64::exp) };
    let peak = data.peak(&best, &contention, &coherency);
    Some(Law {
        lambda: exponential(lambda),
        contention,
        coherency,
        peak_in_flight: peak.in_flight,
        peak_requests_per_s: peak.requests_per_s,
        r_squared: data.r_squared(&best.at),
        points: data.points.len() as u64,
        warnings: data.warnings(&best.at, &contention, &coherency, peak.in_flight.as_ref()),
    })
}

fn is_positive(x: f64) -> bool {
    x.is_finite() && x > 0.0
}

/// N − 1 and N(N − 1): those that a request shares the target with. Below one in flight, as at low rates, there is
/// nobody to share with, and X = λN.
fn sharing(n: f64) -> (f64, f64) {
    let others = (n - 1.0).max(0.0);
    (others, n * others)
}

/// 1 + σ(N − 1) + κN(N − 1).
fn divisor(at: &Parameters, n: f64) -> f64 {
    let (others, pairs) = sharing(n);
    (1.0 + at[1] * others + at[2] * pairs).max(f64::MIN_POSITIVE)
}

/// ln X(N).
fn model(at: &Parameters, n: f64) -> f64 {
    at[0] + n.ln() - divisor(at, n).ln()
}

/// Its derivatives by the parameters.
fn slopes(at: &Parameters, n: f64) -> Parameters {
    let ((others, pairs), below) = (sharing(n), divisor(at, n));
    [1.0, -others / below, -pairs / below]
}

struct Fit {
    at: Parameters,
    squares: f64,
}

struct Peak {
    in_flight: Option<Estimate>,
    requests_per_s: Option<Estimate>,
}

struct Data {
    /// By ascending number in flight.
    points: Vec<(f64, f64)>,
}

impl Data {
    fn squares(&self, at: &Parameters) -> f64 {
        self.points.iter().map(|&(n, x)| (x.ln() - model(at, n)).powi(2)).sum()
    }

    /// The best fit with σ and κ at least zero, some parameters held. Where the free one falls below, the best of
    /// those with σ, κ or both at zero.
    fn fit(&self, held: [Option<f64>; 3]) -> Option<Fit> {
        let with_nil = |nil: [bool; 3]| {
            let held = [0, 1, 2].map(|place| held[place].or(nil[place].then_some(0.0)));
            self.descend(self.start(held), held).filter(|fit| fit.at[1] >= 0.0 && fit.at[2] >= 0.0)
        };
        let choices = [[false, true, false], [false, false, true], [false, true, true]];
        let best = || choices.into_iter().filter_map(with_nil).min_by(|a, b| a.squares.total_cmp(&b.squares));
        with_nil([false; 3]).or_else(best)
    }

    /// From the linearised form, N ÷ X = 1/λ + (σ/λ)(N − 1) + (κ/λ)N(N − 1), by least squares weighted with X ÷ N.
    fn start(&self, held: [Option<f64>; 3]) -> Parameters {
        let (mut normal, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
        for &(n, x) in &self.points {
            let (others, pairs) = sharing(n);
            let terms = [1.0, others, pairs].map(|term| term * x / n);
            for i in 0..3 {
                right[i] += terms[i];
                for j in 0..3 {
                    normal[i][j] += terms[i] * terms[j];
                }
            }
        }
        let free = solve(normal, right).filter(|c| c[0] > 0.0);
        let per_stream = self.points[0].1 / self.points[0].0;
        let [a, b, c] = free.unwrap_or([1.0 / per_stream, 0.0, 0.0]);
        let start = [-a.ln(), (b / a).max(1e-6), (c / a).max(1e-9)];
        [0, 1, 2].map(|place| held[place].unwrap_or(start[place]))
    }

    /// Levenberg and Marquardt's iteration over what is not held.
    fn descend(&self, start: Parameters, held: [Option<f64>; 3]) -> Option<Fit> {
        let mut fit = Fit { at: start, squares: self.squares(&start) };
        let mut damping = 1e-3;
        for _ in 0..STEPS {
            let (mut normal, right) = self.normal_equations(&fit.at, &held);
            for (i, row) in normal.iter_mut().enumerate() {
                row[i] *= 1.0 + damping;
            }
            let step = solve(normal, right)?;
            let at = [0, 1, 2].map(|place| fit.at[place] + step[place]);
            let squares = self.squares(&at);
            if squares.is_finite() && squares <= fit.squares {
                let settled = fit.squares - squares <= 1e-14 * fit.squares;
                fit = Fit { at, squares };
                damping = (damping / 10.0).max(1e-12);
                if settled {
                    break;
                }
            } else {
                damping *= 10.0;
                if damping > 1e12 {
                    break;
                }
            }
        }
        fit.squares.is_finite().then_some(fit)
    }

    /// `JᵀJ` and `Jᵀr`; what is held has a one on the diagonal and stays.
    fn normal_equations(&self, at: &Parameters, held: &[Option<f64>; 3]) -> ([[f64; 3]; 3], [f64; 3]) {
        let (mut normal, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
        for &(n, x) in &self.points {
            let (slopes, residual) = (slopes(at, n), x.ln() - model(at, n));
            for i in (0..3).filter(|&i| held[i].is_none()) {
                right[i] += slopes[i] * residual;
                for j in (0..3).filter(|&j| held[j].is_none()) {
                    normal[i][j] += slopes[i] * slopes[j];
                }
            }
        }
        for i in (0..3).filter(|&i| held[i].is_some()) {
            normal[i][i] = 1.0;
        }
        (normal, right)
    }

    fn freedom(&self) -> f64 {
        self.points.len() as f64 - 3.0
    }

    fn variance(&self, best: &Fit) -> f64 {
        best.squares / self.freedom()
    }

    /// One parameter with its profile interval; without an interval where no point is to spare.
    fn profile(&self, best: &Fit, place: usize) -> Estimate {
        let value = best.at[place];
        if self.freedom() < 1.0 {
            return Estimate { value, low: None, high: None };
        }
        let allowed = best.squares + t_point(self.freedom()).powi(2) * self.variance(best);
        let fits = |x: f64| {
            let mut held = [None; 3];
            held[place] = Some(x);
            self.fit(held).is_some_and(|fit| fit.squares <= allowed)
        };
        let lowest = if place == 0 { f64::NEG_INFINITY } else { 0.0 };
        let reach = if place == 0 { 0.05 } else { (value * 0.1).max(1e-6) };
        let low = if value <= lowest { Some(lowest) } else { edge(value, -reach, lowest, fits) };
        Estimate { value, low, high: edge(value, reach, f64::INFINITY, fits) }
    }

    /// N* = √((1 − σ) ÷ κ) and X(N*); where κ is nil, the limit λ ÷ σ that throughput levels off to.
    fn peak(&self, best: &Fit, contention: &Estimate, coherency: &Estimate) -> Peak {
        let [_, sigma, kappa] = best.at;
        let bends = kappa > 0.0 && sigma < 1.0;
        if !bends {
            let levels_off = sigma > 0.0 && contention.low.is_some_and(|low| low > 0.0);
            let limit = |at: &Parameters| at[0] - at[1].ln();
            let top = levels_off.then(|| self.delta(best, [false, false, true], limit));
            return Peak { in_flight: None, requests_per_s: top };
        }
        let place = |at: &Parameters| 0.5 * ((1.0 - at[1]).max(f64::MIN_POSITIVE).ln() - at[2].ln());
        let nil = [false, sigma <= 0.0, false];
        let (mut in_flight, mut top) =
            (self.delta(best, nil, place), self.delta(best, nil, |at| model(at, place(at).exp())));
        if coherency.low.is_none_or(|low| low <= 0.0) {
            (in_flight.high, top.high) = (None, None);
        }
        Peak { in_flight: Some(in_flight), requests_per_s: Some(top) }
    }

    /// A function of the parameters, given by its logarithm, with the delta method's interval; what is nil varies not.
    fn delta(&self, best: &Fit, nil: [bool; 3], logarithm: impl Fn(&Parameters) -> f64) -> Estimate {
        let value = logarithm(&best.at);
        let bare = Estimate { value: value.exp(), low: None, high: None };
        let held = nil.map(|nil| nil.then_some(0.0));
        let gradient = [0, 1, 2].map(|place| {
            let step = if place == 0 { 1e-6 } else { best.at[place] * 1e-6 };
            let mut at = best.at;
            at[place] += step;
            if nil[place] || step <= 0.0 { 0.0 } else { (logarithm(&at) - value) / step }
        });
        let Some(towards) = solve(self.normal_equations(&best.at, &held).0, gradient) else { return bare };
        let spread: f64 = gradient.iter().zip(towards).map(|(g, s)| g * s).sum();
        if self.freedom() < 1.0 || spread < 0.0 {
            return bare;
        }
        let margin = t_point(self.freedom()) * (spread * self.variance(best)).sqrt();
        Estimate { low: Some((value - margin).exp()), high: Some((value + margin).exp()), ..bare }
    }

    /// Share of the variance of throughput that the fit explains.
    fn r_squared(&self, at: &Parameters) -> f64 {
        let rates: Vec<f64> = self.points.iter().map(|point| point.1).collect();
        let mean = moments::mean(&rates);
        let all: f64 = rates.iter().map(|x| (x - mean).powi(2)).sum();
        let left: f64 = self.points.iter().map(|&(n, x)| (x - model(at, n).exp()).powi(2)).sum();
        if all > 0.0 { 1.0 - left / all } else { 0.0 }
    }

    fn warnings(
        &self,
        at: &Parameters,
        contention: &Estimate,
        coherency: &Estimate,
        peak: Option<&Estimate>,
    ) -> Vec<String> {
        let nil = |e: &Estimate| e.low.is_none_or(|low| low <= 0.0);
        let highest = self.points.last().map_or(0.0, |point| point.0);
        let (points, good) = (self.points.len(), self.r_squared(at));
        let told = [
            (points < FEW).then(|| format!("fitted to {points} points only")),
            (nil(contention) && nil(coherency)).then(|| {
                "throughput never certainly bends: contention and coherency may both be nil, and a peak is a guess"
                    .to_owned()
            }),
            peak.filter(|peak| peak.value > highest).map(|peak| {
                format!("the peak at {:.0} in flight lies beyond what was measured, {highest:.0}", peak.value)
            }),
            (good < GOOD)
                .then(|| format!("a bad fit: the law explains {:.0} % of the variance", good.max(0.0) * 100.0)),
        ];
        told.into_iter().flatten().collect()
    }
}

/// How far from `from`, first by `reach` and on by doubling it, `fits` still holds, by bisection; `end` where it holds
/// there too, and absent where it always holds.
fn edge(from: f64, reach: f64, end: f64, fits: impl Fn(f64) -> bool) -> Option<f64> {
    let bounded = |x: f64| if reach < 0.0 { x.max(end) } else { x.min(end) };
    let (mut inside, mut step) = (from, reach);
    let mut outside = bounded(from + step);
    for _ in 0..60 {
        if !fits(outside) {
            for _ in 0..40 {
                let middle = f64::midpoint(inside, outside);
                if fits(middle) { inside = middle } else { outside = middle }
            }
            return Some(inside);
        }
        if outside.total_cmp(&end).is_eq() {
            return Some(end);
        }
        (inside, step) = (outside, step * 2.0);
        outside = bounded(from + step);
    }
    None
}

/// Three equations in three unknowns by Gauss's elimination with pivots; `None` when they say too little.
fn solve(mut left: [[f64; 3]; 3], mut right: [f64; 3]) -> Option<[f64; 3]> {
    // Columns of like size: N² beside 1 would drown it.
    let scale = [0, 1, 2].map(|i| left[i][i].abs().sqrt().recip()).map(|s| if s.is_finite() { s } else { 1.0 });
    for i in 0..3 {
        right[i] *= scale[i];
        for j in 0..3 {
            left[i][j] *= scale[i] * scale[j];
        }
    }
    for column in 0..3 {
        let pivot = (column..3).max_by(|&a, &b| left[a][column].abs().total_cmp(&left[b][column].abs()))?;
        left.swap(column, pivot);
        right.swap(column, pivot);
        if left[column][column].abs() < 1e-13 {
            return None;
        }
        let above = left[column];
        for row in column + 1..3 {
            let factor = left[row][column] / above[column];
            right[row] -= factor * right[column];
            left[row] = [0, 1, 2].map(|j| left[row][j] - factor * above[j]);
        }
    }
    let mut found = [0.0; 3];
    for row in (0..3).rev() {
        let known: f64 = (row + 1..3).map(|j| left[row][j] * found[j]).sum();
        found[row] = (right[row] - known) / left[row][row];
    }
    Some([0, 1, 2].map(|i| found[i] * scale[i]))
}

#[cfg(test)]
mod tests;
