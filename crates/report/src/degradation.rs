//! What a crowd makes of what one alone gets.

use schema::metric::Unit;
use schema::summary::{Estimate, Summary};
use serde::Serialize;
use stats::{Change, ChangedValue};

use crate::json::pretty;
use crate::listing::{Align, Cell, Column, Listing};
use crate::number::{self, Figure, estimate, percent};

/// The title of the table.
const TITLE: &str = "One user alone, and one of the crowd";

/// For people: a row a figure, each value with its 95 % interval.
pub fn degradation(changes: &[Change]) -> Listing {
    let column = |key, heading, align| Column { key, heading, align };
    let rows = changes.iter().map(|change| {
        let mark = if change.simulated { " SIMULATED" } else { "" };
        let cells = [
            format!("{}{mark}", change.target),
            change.figure.heading().to_owned(),
            shown(change, &change.alone),
            shown(change, &change.crowd),
            change.times.as_ref().map_or_else(|| number::NOTHING.to_owned(), times),
        ];
        cells.into_iter().map(Cell::Text).collect()
    });
    Listing {
        title: TITLE.to_owned(),
        columns: vec![
            column("target", "Target", Align::Left),
            column("figure", "Figure", Align::Left),
            column("alone", "Alone", Align::Right),
            column("crowd", "In the crowd", Align::Right),
            column("times", "Crowd ÷ alone", Align::Right),
        ],
        rows: rows.collect(),
    }
}

fn shown(change: &Change, value: &ChangedValue) -> String {
    let unit = if change.figure.is_time() { Unit::Nanos } else { Unit::TokensPerSecond };
    match value {
        ChangedValue::Nothing => number::NOTHING.to_owned(),
        ChangedValue::TooFew(more) => format!("n/a ({more} more)"),
        ChangedValue::Known(share) if change.figure.is_share() => {
            let ends = share.low.zip(share.high).map(|(low, high)| format!("{}–{}", percent(low), percent(high)));
            Figure { value: percent(share.value), aside: ends.into_iter().collect() }.in_line()
        }
        ChangedValue::Known(known) => estimate(known, unit).in_line(),
    }
}

/// `×8.30 (7.10–9.60)`
fn times(times: &Estimate) -> String {
    format!("×{}", estimate(times, Unit::TokensPerSecond).in_line())
}

/// For programs: a row a figure, each end of each interval in a column of its own, times in nanoseconds.
pub fn degradation_rows(changes: &[Change]) -> Listing {
    const KEYS: [&str; 13] = [
        "target",
        "simulated",
        "figure",
        "alone",
        "alone_low",
        "alone_high",
        "crowd",
        "crowd_low",
        "crowd_high",
        "times",
        "times_low",
        "times_high",
        "alone_needs_more",
    ];
    let number =
        |value: Option<f64>| value.map_or(Cell::Empty, |value| Cell::Number { shown: number::number(value), value });
    let ends = |known: Option<&Estimate>| {
        [known.map(|e| e.value), known.and_then(|e| e.low), known.and_then(|e| e.high)].map(number)
    };
    let rows = changes.iter().map(|change| {
        let mut row = vec![
            Cell::Text(change.target.to_string()),
            Cell::Flag(change.simulated),
            Cell::Text(change.figure.key().to_owned()),
        ];
        row.extend(ends(change.alone.known()));
        row.extend(ends(change.crowd.known()));
        row.extend(ends(change.times.as_ref()));
        row.push(match change.alone {
            ChangedValue::TooFew(more) => number(Some(more as f64)),
            ChangedValue::Known(_) | ChangedValue::Nothing => Cell::Empty,
        });
        row
    });
    let columns = KEYS.map(|key| Column { key, heading: key, align: Align::Left });
    Listing { title: TITLE.to_owned(), columns: columns.into(), rows: rows.collect() }
}

/// All of a rush as indented JSON: the crowd's summary, unless the rush was stopped before, that of one alone where there
/// is one, and what changed.
pub fn rush_json(crowd: Option<&Summary>, alone: Option<&Summary>, changes: &[Change]) -> String {
    #[derive(Serialize)]
    struct Rush<'a> {
        crowd: Option<&'a Summary>,
        alone: Option<&'a Summary>,
        degradation: Listing,
    }
    pretty(&Rush { crowd, alone, degradation: degradation_rows(changes) })
}

#[cfg(test)]
mod tests {
    use stats::ChangedFigure;

    use super::*;
    use crate::Style;

    fn changes() -> Vec<Change> {
        let known = |value, low, high| Estimate { value, low: Some(low), high: Some(high) };
        let change = |figure, alone, crowd, times| Change {
            target: "vllm".parse().unwrap(),
            simulated: true,
            figure,
            alone,
            crowd,
            times,
        };
        vec![
            change(
                ChangedFigure::TtftP50Ns,
                ChangedValue::Known(known(51.2e6, 49.0e6, 55.5e6)),
                ChangedValue::Known(known(425.0e6, 400.0e6, 450.0e6)),
                Some(known(8.3, 7.6, 8.9)),
            ),
            change(
                ChangedFigure::TtftP95Ns,
                ChangedValue::TooFew(62),
                ChangedValue::Known(known(1.2e9, 1.1e9, 1.4e9)),
                None,
            ),
            change(
                ChangedFigure::SuccessRate,
                ChangedValue::Known(known(1.0, 0.72, 1.0)),
                ChangedValue::Known(known(0.98, 0.95, 0.995)),
                None,
            ),
            change(
                ChangedFigure::OutputTokensPerS,
                ChangedValue::Known(Estimate { value: 98.4, low: None, high: None }),
                ChangedValue::Known(Estimate { value: 1_350.0, low: None, high: None }),
                Some(Estimate { value: 13.7, low: None, high: None }),
            ),
            change(ChangedFigure::TpotP50Ns, ChangedValue::Nothing, ChangedValue::TooFew(1), None),
        ]
    }

    #[test]
    fn people_see_each_value_with_its_interval() {
        insta::assert_snapshot!(degradation(&changes()).table(Style { width: 120, color: false }), @"
        One user alone, and one of the crowd
        Target          Figure                                Alone        In the crowd      Crowd ÷ alone
        ──────────────────────────────────────────────────────────────────────────────────────────────────
        vllm SIMULATED  TTFT p50                51.2 ms (49.0–55.5)    425 ms (400–450)  ×8.30 (7.60–8.90)
        vllm SIMULATED  TTFT p95                      n/a (62 more)  1.20 s (1.10–1.40)                  –
        vllm SIMULATED  Success rate             100 % (72 %–100 %)  98 % (95 %–99.5 %)                  –
        vllm SIMULATED  Output tokens/s of all                 98.4                1350              ×13.7
        vllm SIMULATED  TPOT p50                                  –        n/a (1 more)                  –
        ");
    }

    #[test]
    fn programs_get_every_end_in_a_column_of_its_own() {
        insta::assert_snapshot!(degradation_rows(&changes()).csv(), @"
        target,simulated,figure,alone,alone_low,alone_high,crowd,crowd_low,crowd_high,times,times_low,times_high,alone_needs_more
        vllm,true,ttft_p50_ns,51200000,49000000,55500000,425000000,400000000,450000000,8.3,7.6,8.9,
        vllm,true,ttft_p95_ns,,,,1200000000,1100000000,1400000000,,,,62
        vllm,true,success_rate,1,0.72,1,0.98,0.95,0.995,,,,
        vllm,true,output_tokens_per_s,98.4,,,1350,,,13.7,,,
        vllm,true,tpot_p50_ns,,,,,,,,,,
        ");
    }

    #[test]
    fn json_holds_both_runs_and_what_changed() {
        let crowd = stats::combine(&crate::tests::plan(), Vec::new());
        let json: serde_json::Value = serde_json::from_str(&rush_json(Some(&crowd), None, &changes())).unwrap();
        assert_eq!(json["degradation"][0]["times"], 8.3);
        assert_eq!(json["degradation"][1]["alone_needs_more"], 62.0);
        assert!(json["alone"].is_null() && json["crowd"]["targets"].is_array());
        let stopped: serde_json::Value = serde_json::from_str(&rush_json(None, Some(&crowd), &[])).unwrap();
        assert!(stopped["crowd"].is_null() && stopped["alone"]["targets"].is_array(), "one alone is no crowd");
    }
}
