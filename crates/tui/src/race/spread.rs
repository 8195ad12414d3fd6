//! How TTFT and E2E are spread over the heats so far: a pair of histograms a target, all on the same two axes.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use schema::counted;
use schema::summary::Percentile;
use schema::text::Untrusted;
use schema::units::Nanos;

use super::scene::Scene;
use super::tally::Tally;
use super::words;
use crate::chart::{Buckets, Range, Scale, exactly, histogram};
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
        let ends = || values.iter().flat_map(|sorted| [sorted.first(), sorted.last()]).flatten().copied();
        let (low, high) = ends().fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let scale = if low > 0.0 && high > low * WIDE { Scale::Logarithmic } else { Scale::Linear };
        let range = Range::covering(ends(), scale);
        Self { name, range, values }
    }

    /// The parts that `target`'s values fall into: the more targets share the axis, and the more values there are, the
    /// more parts.
    fn buckets(&self, target: usize, columns: usize) -> Option<Buckets> {
        let most = self.values.iter().map(|values| values.len()).max().unwrap_or(0);
        let parts = (2 * most.isqrt() * self.values.len()).min(columns).max(8);
        Some(Buckets::of(self.range?, parts, self.values[target].iter().copied()))
    }

    /// The median of `target` and the ends of its interval where they lie on the axis.
    fn whiskers(&self, target: usize, columns: usize) -> Option<String> {
        let (median, interval) = median(self.values[target])?;
        let range = self.range?;
        let place = |value: f64| column(range.place(value), columns);
        let middle = place(median);
        let (low, high) = interval.map_or((middle, middle), |(low, high)| (place(low), place(high)));
        let mark = |column: usize| match column {
            _ if column == middle => '┿',
            _ if column == low => '├',
            _ if column == high => '┤',
            _ if (low..high).contains(&column) => '─',
            _ => ' ',
        };
        Some((0..columns).map(mark).collect())
    }
}

/// Draws them: how many heats of how many, then a band for each target, then the axes.
///
/// `winner` is who won the present heat, which is in no tally yet.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, (tallies, winner): (&[Tally], Option<usize>)) {
    let rows = [Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)];
    let [head, body, axes] = Layout::vertical(rows).areas(area);
    frame.render_widget(advance(scene, tallies, head.width.into()), head);
    let metrics = [
        Metric::new("TTFT", tallies.iter().map(|tally| tally.ttft.as_slice()).collect()),
        Metric::new("E2E", tallies.iter().map(|tally| tally.e2e.as_slice()).collect()),
    ];
    let bands = Layout::vertical(tallies.iter().map(|_| Constraint::Fill(1))).split(body);
    for (&target, band) in scene.names.order().iter().zip(bands.iter()) {
        let won = tallies[target].won + u32::from(winner == Some(target));
        let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(*band);
        frame.render_widget(counts(scene, target, (&tallies[target], won), head.width.into()), head);
        for (metric, area) in metrics.iter().zip(halves(body)) {
            draw_metric(frame, area, scene, target, metric);
        }
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
    let told = format!("{over} of {} ", counted(wanted, "heat"));
    let room = columns.saturating_sub(text::width(&told)).min(60);
    let share = over as f64 / wanted.max(1) as f64;
    let gauge = words::gauge(share, room, (scene.theme.accent, scene.theme.border));
    [Span::styled(told, scene.theme.text)].into_iter().chain(gauge).collect()
}

fn halves(area: Rect) -> [Rect; 2] {
    let parts = [Constraint::Fill(1), Constraint::Fill(1)];
    Layout::horizontal(parts).spacing(BETWEEN).areas(area)
}

/// One metric of one target: its median in words, how its values are spread, and where the median lies.
fn draw_metric(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, target: usize, metric: &Metric<'_>) {
    let (columns, rows) = (usize::from(area.width), usize::from(area.height));
    let told = in_words(metric.name, metric.values[target]);
    let mut lines = vec![Line::styled(exactly(words::fitting(&told, columns), columns), scene.theme.text)];
    let whiskers = metric.whiskers(target, columns).filter(|_| rows >= 4);
    if let Some(buckets) = metric.buckets(target, columns) {
        let height = rows - whiskers.iter().len();
        let style = (scene.lane_style(target), scene.theme);
        let mut drawn = histogram(&buckets, buckets.most(), (columns, height), &time, style);
        drawn.pop();
        lines.extend(drawn);
    }
    lines.extend(whiskers.map(|whiskers| Line::styled(whiskers, scene.theme.text)));
    frame.render_widget(Text::from(lines), area);
}

/// Whose band it is, and what became of its requests.
fn counts(scene: &Scene<'_>, target: usize, (tally, won): (&Tally, u32), columns: usize) -> Line<'static> {
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
    let right = format!("{won} won alone");
    words::ends(left, vec![Span::styled(right, theme.good)], columns)
}

/// The median of values in ascending order, and its interval once there are enough of them.
fn median(sorted: &[f64]) -> Option<(f64, Option<(f64, f64)>)> {
    if sorted.is_empty() {
        return None;
    }
    Some(match stats::interval::percentile(sorted, 0.5) {
        Percentile::Known(median) => (median.value, median.low.zip(median.high)),
        Percentile::Withheld { .. } => (stats::quantile::quantile(sorted, 0.5), None),
    })
}

/// The median in words, longest wording first.
fn in_words(name: &str, sorted: &[f64]) -> [String; 2] {
    let Some((middle, interval)) = median(sorted) else {
        return [format!("{name} not known yet"), name.to_owned()];
    };
    let short = format!("{name} median {}", time(middle));
    let long = match interval {
        Some((low, high)) => format!("{short}, 95 % {} to {}", time(low), time(high)),
        None => format!("{short} so far"),
    };
    [long, short]
}

/// The column at `place` (0 to 1) of so many.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place is between 0 and 1")]
fn column(place: f64, columns: usize) -> usize {
    ((place * columns as f64) as usize).min(columns.saturating_sub(1))
}

/// Nanoseconds with the unit that suits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and spans are not negative")]
fn time(nanos: f64) -> String {
    Nanos(nanos.round() as u64).to_string()
}
