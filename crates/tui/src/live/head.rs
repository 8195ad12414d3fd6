//! What the run is, and how far it has come.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use schema::counted;
use schema::text::Untrusted;
use schema::units::Nanos;

use super::{LiveView, Occasion};
use crate::chart::{bar, exactly};
use crate::screen::View;
use crate::text::{fit, width};

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, live: &LiveView, view: &View<'_>) {
    let columns = usize::from(area.width);
    frame.render_widget(
        Text::from(vec![title(live, view, columns), what(live, view, columns), far(live, view, columns)]),
        area,
    );
}

/// ` benchmark · quick                       SIMULATED`
fn title(live: &LiveView, view: &View<'_>, columns: usize) -> Line<'static> {
    let name = Untrusted::from(live.board.plan().name.as_str());
    let occasion = match live.occasion {
        Occasion::Run => String::new(),
        Occasion::Calibration { part, of } => {
            format!(" · calibrating, {part} of {of}: this machine against the built-in engine")
        }
    };
    let simulated = live.board.plan().targets.iter().any(|target| target.simulated);
    let mark = if simulated && columns > 24 { "SIMULATED" } else { "" };
    let left = exactly(&format!("SPEED KINGS · {}{occasion}", fit(&name, 40)), columns.saturating_sub(width(mark)));
    Line::from(vec![Span::styled(left, view.theme.accent), Span::styled(mark, view.theme.simulated)])
}

/// The load in words.
fn what(live: &LiveView, view: &View<'_>, columns: usize) -> Line<'static> {
    let plan = live.board.plan();
    let load = match plan.search {
        Some(search) => format!("searching over {}", search.axis().in_words()),
        None => plan.load.to_string(),
    };
    let together = if plan.side_by_side { ", all targets at the same time" } else { "" };
    Line::styled(fit(&Untrusted::from(format!("{load}{together}").as_str()), columns), view.theme.dim)
}

/// `██████░░░░ 43 %  17 of 40 requests  12.3 s, about 16 s left`
fn far(live: &LiveView, view: &View<'_>, columns: usize) -> Line<'static> {
    let (board, now) = (&live.board, view.now);
    let (over, all) = board.requests();
    let requests = of_all(over, all);
    let left = match (board.left(now), board.share(now)) {
        (Some(left), _) if left > Nanos::ZERO => format!("about {} left", seconds(left)),
        (Some(_), _) => "the last answers are awaited".to_owned(),
        (None, Some(_)) => "time left not known yet".to_owned(),
        (None, None) => "time left not known".to_owned(),
    };
    let elapsed = seconds(board.elapsed(now));
    let Some(share) = board.share(now) else {
        return Line::styled(exactly(&format!("{requests} · {elapsed} gone, {left}"), columns), view.theme.text);
    };
    let words = format!(" {:>3.0} % · {requests} · {elapsed} gone, {left}", share * 100.0);
    let room = columns.saturating_sub(width(&words)).min(40);
    Line::from(vec![
        Span::styled(bar(share, room).replace(' ', "░"), view.theme.accent),
        Span::styled(exactly(&words, columns.saturating_sub(room)), view.theme.text),
    ])
}

/// Requests that are over, of how many where that is known: `1 request`, `1 of 40 requests`.
pub(crate) fn of_all(over: u64, all: Option<u64>) -> String {
    all.map_or_else(|| counted(over, "request"), |all| format!("{over} of {}", counted(all, "request")))
}

/// Seconds, as they pass.
pub(crate) fn seconds(span: Nanos) -> String {
    let seconds = span.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), (seconds % 60.0).floor())
    }
}

pub(super) fn foot(frame: &mut Frame<'_>, area: Rect, live: &LiveView, view: &View<'_>) {
    let keys = if live.asked_to_stop {
        "stopping: requests in flight may finish · q again gives them up"
    } else {
        "q stops the run; what was measured until then is kept"
    };
    let missed = if view.missed > 0 {
        format!(" · {} not drawn: everything is recorded", counted(view.missed, "step"))
    } else {
        String::new()
    };
    frame.render_widget(
        Line::styled(exactly(&format!("{keys}{missed}"), usize::from(area.width)), view.theme.dim),
        area,
    );
}
