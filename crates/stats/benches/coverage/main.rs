//! How often the 95 % intervals hold the truth, over simulated experiments whose truth is known: `just coverage`.
//! Prints the Markdown that `docs/statistics.md` shows.
//!
//! Every value is a quantile function at the normal share of a hidden normal series: so its distribution is known exactly,
//! and neighbours lean on each other as the hidden series makes them.

#![expect(clippy::print_stdout, reason = "prints what the documentation shows")]

mod experiment;

use std::thread;

use stats::inference::{Design, Statistic};

use crate::experiment::{Experiment, Held, Memory, Question, Shape};

const EXPERIMENTS: u64 = 2_000;

const STATISTICS: [(&str, Statistic); 4] = [
    ("mean", Statistic::Mean),
    ("median", Statistic::Quantile(0.5)),
    ("p95", Statistic::Quantile(0.95)),
    ("p99", Statistic::Quantile(0.99)),
];

fn main() {
    let designs = [
        ("One side, values independent", Question::Interval, Memory::None, [50, 100, 200, 1_000]),
        (
            "One side, each value leaning on the one before by 0.5",
            Question::Interval,
            Memory::Leaning(0.5),
            [100, 200, 500, 2_000],
        ),
        ("One side, by 0.8", Question::Interval, Memory::Leaning(0.8), [200, 500, 1_000, 5_000]),
        (
            "Difference, sides independent",
            Question::Difference(Design::Independent),
            Memory::None,
            [50, 100, 200, 1_000],
        ),
        (
            "Ratio, each value leaning on the one before by 0.5",
            Question::Ratio(Design::Independent),
            Memory::Leaning(0.5),
            [100, 200, 500, 2_000],
        ),
        (
            "Difference, paired: ten values a block, blocks sharing their troubles",
            Question::Difference(Design::Paired),
            Memory::Shared(0.3),
            [100, 200, 500, 2_000],
        ),
        (
            "Ratio, paired: ten values a block, blocks sharing their troubles",
            Question::Ratio(Design::Paired),
            Memory::Shared(0.3),
            [100, 200, 500, 2_000],
        ),
    ];
    let only = std::env::args().nth(1).filter(|word| !word.starts_with('-'));
    for (title, question, memory, sizes) in designs {
        if only.as_ref().is_some_and(|only| !title.contains(only.as_str())) {
            continue;
        }
        println!(
            "\n### {title}\n\n| values | n | mean | median | p95 | p99 |\n| --- | ---: | ---: | ---: | ---: | ---: |"
        );
        for shape in Shape::ALL {
            for n in sizes {
                let row = STATISTICS.map(|(_, statistic)| cell(&Experiment { shape, memory, n, question, statistic }));
                println!("| {} | {n} | {} |", shape.in_words(), row.join(" | "));
            }
        }
    }
}

/// Percent of the intervals given that held the truth; how often none was given, where that was often.
fn cell(experiment: &Experiment) -> String {
    let halves = thread::scope(|scope| {
        let half = |from: u64| scope.spawn(move || experiment.run(from..from + EXPERIMENTS / 2));
        let threads = [half(0), half(EXPERIMENTS / 2)];
        threads.map(|thread| thread.join().expect("an experiment does not panic"))
    });
    let [one, other] = halves;
    let Held { given, held, below, above } = one.with(other);
    if given < EXPERIMENTS / 2 {
        return "—".to_owned();
    }
    let percent = |part: u64, of: u64| 100.0 * part as f64 / of as f64;
    let missed = if given < EXPERIMENTS { format!(" of {:.0} %", percent(given, EXPERIMENTS)) } else { String::new() };
    let detail = if std::env::var_os("SIDES").is_some() {
        format!(" ({:.1}/{:.1})", percent(below, given), percent(above, given))
    } else {
        String::new()
    };
    format!("{:.1}{missed}{detail}", percent(held, given))
}
