use ratatui::style::Style;
use ratatui::text::Line;

use super::*;
use crate::theme::{Theme, ThemeName};

fn theme() -> Theme {
    Theme::of(ThemeName::Mono)
}

fn text(lines: &[Line<'_>]) -> String {
    lines.iter().map(|line| format!("{line}|")).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn exact(lines: &[Line<'_>], (columns, rows): (usize, usize)) {
    assert_eq!(lines.len(), rows, "{}", text(lines));
    for line in lines {
        assert_eq!(line.width(), columns, "{}", text(lines));
    }
}

fn millis(value: f64) -> String {
    format!("{value:.0} ms")
}

#[test]
fn a_bar_fills_its_share_of_the_columns() {
    assert_eq!(bar(0.5, 4), "██  ");
    assert_eq!(bar(0.53125, 4), "██▏ ");
    assert_eq!(bar(0.0, 4), "    ");
    assert_eq!(bar(1e-9, 4), "▏   ", "a little is not nothing");
    assert_eq!(bar(7.0, 4), "████");
    assert_eq!(bar(f64::NAN, 2), "  ");
    assert_eq!(bar(0.5, 0), "");
}

#[test]
fn a_sparkline_ends_with_the_newest_and_shows_gaps() {
    assert_eq!(sparkline(&[Some(0.0), None, Some(4.0), Some(8.0)], 8.0, 6), "  ▁ ▄█");
    assert_eq!(sparkline(&[Some(8.0), Some(4.0), Some(8.0)], 8.0, 2), "▄█");
    assert_eq!(sparkline(&[Some(0.0)], 0.0, 1), "▁");
    assert_eq!(sparkline(&[], 1.0, 3), "   ");
}

#[test]
fn text_is_cut_or_filled_to_the_column() {
    assert_eq!(exactly("abc", 5), "abc  ");
    assert_eq!(exactly("abcdef", 4), "abc…");
    assert_eq!(exactly("漢字漢字", 4), "漢… ");
    assert_eq!(exactly("abc", 0), "");
}

#[test]
fn a_range_finds_its_parts_on_either_scale() {
    let linear = Range::new(0.0, 10.0, Scale::Linear).unwrap();
    assert_eq!([-1.0, 0.0, 4.9, 5.0, 10.0, 11.0].map(|value| linear.part(value, 2)), [0, 0, 0, 1, 1, 1]);
    let log = Range::new(1.0, 100.0, Scale::Logarithmic).unwrap();
    assert_eq!([1.0, 9.0, 11.0, 100.0].map(|value| log.part(value, 2)), [0, 0, 1, 1]);
    assert!((log.value(log.place(37.0)) - 37.0).abs() < 1e-9);
    assert!(Range::new(0.0, 1.0, Scale::Logarithmic).is_none());
    assert!(Range::new(2.0, 1.0, Scale::Linear).is_none());
    assert!(Range::covering([f64::NAN, f64::INFINITY], Scale::Linear).is_none());
    for same in [0.0, 5.0, -3.0, 1e-300] {
        let range = Range::covering([same, same], Scale::Linear).unwrap();
        assert!(range.low() < range.high(), "{same}");
    }
}

#[test]
fn a_histogram_shows_where_values_lie() {
    let values = [10.0, 11.0, 12.0, 12.0, 12.0, 13.0, 14.0, 19.0];
    let buckets = Buckets::of(Range::new(10.0, 20.0, Scale::Linear).unwrap(), 10, values);
    assert_eq!(buckets.counts(), [1, 1, 3, 1, 1, 0, 0, 0, 0, 1]);
    let drawn = histogram(&buckets, buckets.most(), (30, 4), &millis, (Style::new(), &theme()));
    exact(&drawn, (30, 4));
    insta::assert_snapshot!(text(&drawn), @"
          ███                     |
          ███                     |
    ███████████████            ███|
    10 ms       15 ms        20 ms|
    ");
}

#[test]
fn a_ladder_names_where_each_part_begins() {
    let buckets =
        Buckets::of(Range::new(1.0, 1000.0, Scale::Logarithmic).unwrap(), 3, [2.0, 3.0, 20.0, 400.0, 4e9, 0.0]);
    let drawn = ladder(&buckets, buckets.most(), 24, &millis, (Style::new(), &theme()));
    exact(&drawn, (24, 3));
    insta::assert_snapshot!(text(&drawn), @"
      1 ms │██████████████ 3|
     10 ms │████▋          1|
    100 ms │█████████▍     2|
    ");
}

#[test]
fn figures_over_time_have_marks_of_their_own() {
    let points = |much: f64| (0..10).map(|when| (f64::from(when), much + f64::from(when))).collect::<Vec<_>>();
    let series = [
        Series { name: "p50".into(), mark: '·', style: Style::new(), points: points(1.0) },
        Series { name: "p95".into(), mark: '×', style: Style::new(), points: points(4.0) },
    ];
    let ranges = (Range::new(0.0, 9.0, Scale::Linear).unwrap(), Range::new(0.0, 15.0, Scale::Linear).unwrap());
    let seconds = |value: f64| format!("{value:.0} s");
    let drawn = lines(&series, ranges, (40, 8), (&seconds, &millis), &theme());
    exact(&drawn, (40, 8));
    insta::assert_snapshot!(text(&drawn), @"
    · p50  × p95                            |
    15 ms │                                ×|
          │                      ×  ×   ×  ·|
          │              ×   ×      ·   ·   |
          │   ×   ×   ×  ·   ·   ·          |
          │×      ·   ·                     |
     0 ms │·  ·                             |
           0 s            4 s            9 s|
    ");
}

#[test]
fn any_size_is_kept_to_the_column() {
    let range = Range::new(1.0, 1000.0, Scale::Logarithmic).unwrap();
    let buckets = Buckets::of(range, 7, (1..100).map(f64::from));
    let series =
        [Series {
            name: "throughput".into(), mark: '•', style: Style::new(), points: vec![(1.0, 2.0), (900.0, 5.0)]
        }];
    for columns in 1..60 {
        exact(&ladder(&buckets, buckets.most(), columns, &millis, (Style::new(), &theme())), (columns, 7));
        for rows in 1..6 {
            let size = (columns, rows);
            exact(&histogram(&buckets, 3, size, &millis, (Style::new(), &theme())), size);
            exact(&lines(&series, (range, range), size, (&millis, &millis), &theme()), size);
        }
    }
}
