//! How TTFT and E2E are spread over the heats so far: a pair of histograms a target, all on the same two axes.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use schema::summary::Percentile;
use schema::text::Untrusted;
use schema::units::Nanos;

use super::scene::Scene;
use super::tally::Tally;
use super::words;
use crate::chart::{Buckets, Range, Scale, bar, exactly, histogram};
use crate::text;

/// The largest and the smallest value so many times apart are shown on a scale of ratios.
const WIDE: f64 = 20.0;

/// Columns between the two histograms.
const BETWEEN: u16 = 2;

/// One metric of all targets.
struct Metric<'a> {
    name: &'static str,
    range: Option<Range>,
    values: Vec<&'a [f64]>,
}

impl<'a> Metric<'a> {
    fn new(name: &'static str, values: Vec<&'a [f64]>) -> Self {
        let all = || values.iter().flat_map(|values| values.iter().copied());
        let (low, high) = all().fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let scale = if low > 0.0 && high > low * WIDE { Scale::Logarithmic } else { Scale::Linear };
        let range = Range::covering(all(), scale);
        Self { name, range, values }
    }

    /// The parts that `target`'s values fall into, two columns each.
    fn buckets(&self, target: usize, columns: usize) -> Option<Buckets> {
        Some(Buckets::of(self.range?, columns.div_ceil(2), self.values[target].iter().copied()))
    }
}

/// Draws them: how many heats of how many, then a band for each target, then the axes.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, tallies: &[Tally]) {
    let rows = [Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)];
    let [head, body, axes] = Layout::vertical(rows).areas(area);
    frame.render_widget(advance(scene, tallies, head.width.into()), head);
    let metrics = [
        Metric::new("TTFT", tallies.iter().map(|tally| tally.ttft.as_slice()).collect()),
        Metric::new("E2E", tallies.iter().map(|tally| tally.e2e.as_slice()).collect()),
    ];
    let bands = Layout::vertical(tallies.iter().map(|_| Constraint::Fill(1))).split(body);
    for (&target, band) in scene.names.order().iter().zip(bands.iter()) {
        draw_target(frame, *band, scene, (target, &tallies[target]), &metrics);
    }
    for (metric, area) in metrics.iter().zip(halves(axes)) {
        let lines = metric.range.map(|range| {
            let nothing = Buckets::new(range, 1);
            histogram(&nothing, 1, (area.width.into(), 1), &time, (Style::new(), scene.theme))
        });
        frame.render_widget(Text::from(lines.unwrap_or_default()), area);
    }
}

/// Heats that are over in every lane, of those wanted.
fn advance(scene: &Scene<'_>, tallies: &[Tally], columns: usize) -> Line<'static> {
    let over = tallies.iter().map(Tally::over).min().unwrap_or(0);
    let wanted = u64::from(scene.setup.runs);
    let told = format!("{over} of {wanted} heats ");
    let room = columns.saturating_sub(text::width(&told)).min(60);
    let share = over as f64 / wanted.max(1) as f64;
    Line::from(vec![Span::styled(told, scene.theme.text), Span::styled(bar(share, room), scene.theme.accent)])
}

fn halves(area: Rect) -> [Rect; 2] {
    let parts = [Constraint::Fill(1), Constraint::Fill(1)];
    Layout::horizontal(parts).spacing(BETWEEN).areas(area)
}

fn draw_target(
    frame: &mut Frame<'_>,
    area: Rect,
    scene: &Scene<'_>,
    (target, tally): (usize, &Tally),
    metrics: &[Metric<'_>; 2],
) {
    let rows = [Constraint::Length(1), Constraint::Fill(1)];
    let [head, body] = Layout::vertical(rows).areas(area);
    frame.render_widget(counts(scene, target, tally, head.width.into()), head);
    for (metric, area) in metrics.iter().zip(halves(body)) {
        let (columns, rows) = (usize::from(area.width), usize::from(area.height));
        let median = median(metric.name, metric.values[target]);
        let mut lines = vec![Line::styled(exactly(words::fitting(&median, columns), columns), scene.theme.text)];
        if let Some(buckets) = metric.buckets(target, columns) {
            let style = (scene.lane_style(target), scene.theme);
            let mut drawn = histogram(&buckets, buckets.most(), (columns, rows), &time, style);
            drawn.pop();
            lines.extend(drawn);
        }
        frame.render_widget(Text::from(lines), area);
    }
}

/// Whose band it is, and what became of its requests.
fn counts(scene: &Scene<'_>, target: usize, tally: &Tally, columns: usize) -> Line<'static> {
    let theme = scene.theme;
    let mut left = vec![
        Span::styled(text::fit(&Untrusted::from(scene.names.of(target)), columns / 3), scene.name_style(target)),
        Span::raw(" "),
    ];
    if scene.names.marks(target) {
        left.push(Span::styled("SIMULATED ", theme.simulated));
    }
    left.push(Span::styled(format!("{} completed", tally.completed), theme.text));
    let (failed, class) = tally.failures();
    if let Some(class) = class {
        left.push(Span::styled(format!("  {failed} failed, mostly: {class}"), theme.bad));
    }
    if tally.given_up() > 0 {
        left.push(Span::styled(format!("  {} given up", tally.given_up()), theme.warn));
    }
    let right = format!("{} won alone", tally.won);
    words::ends(left, vec![Span::styled(right, theme.good)], columns)
}

/// The median with its interval, or without one while there are too few values; longest wording first.
fn median(name: &str, sorted: &[f64]) -> [String; 2] {
    if sorted.is_empty() {
        return [format!("{name} not known yet"), name.to_owned()];
    }
    match stats::interval::percentile(sorted, 0.5) {
        Percentile::Known(median) => {
            let short = format!("{name} median {}", time(median.value));
            let interval = median.low.zip(median.high);
            let long = interval.map(|(low, high)| format!("{short}, 95 % {} to {}", time(low), time(high)));
            [long.unwrap_or_else(|| short.clone()), short]
        }
        Percentile::Withheld { needs_more } => {
            let middle = time(stats::quantile::quantile(sorted, 0.5));
            let short = format!("{name} median {middle} so far");
            [format!("{short}, an interval needs {needs_more} more"), short]
        }
    }
}

/// Nanoseconds with the unit that suits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and spans are not negative")]
fn time(nanos: f64) -> String {
    Nanos(nanos.round() as u64).to_string()
}
