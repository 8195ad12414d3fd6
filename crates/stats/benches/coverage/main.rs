//! How often the 95 % intervals hold the truth, over simulated experiments whose truth is known: `just coverage`.
//! Prints the Markdown that `docs/statistics.md` shows.

#![expect(clippy::print_stdout, reason = "prints what the documentation shows")]

mod experiment;

use std::thread;

use stats::inference::{Design, Statistic};

use crate::experiment::{Experiment, Held, Memory, Question, Shape};

/// A cell of the tables is off by 1.4 points at most, 95 times of 100.
const EXPERIMENTS: u64 = 1_000;

const STATISTICS: [Statistic; 4] =
    [Statistic::Mean, Statistic::Quantile(0.5), Statistic::Quantile(0.95), Statistic::Quantile(0.99)];

/// A table: its title, what is asked, how values depend on others, and sizes.
type Table = (&'static str, Question, Memory, [usize; 3]);

const TABLES: [Table; 6] = [
    ("One target, values independent", Question::Interval, Memory::None, [50, 200, 1_000]),
    (
        "One target, each value leaning on the one before by 0.5",
        Question::Interval,
        Memory::Leaning(0.5),
        [150, 500, 2_000],
    ),
    (
        "One target, each value leaning on the one before by 0.8",
        Question::Interval,
        Memory::Leaning(0.8),
        [300, 1_000, 4_000],
    ),
    (
        "Difference of two targets, values independent",
        Question::Difference(Design::Independent),
        Memory::None,
        [50, 200, 1_000],
    ),
    (
        "Ratio of two targets, each value leaning on the one before by 0.5",
        Question::Ratio(Design::Independent),
        Memory::Leaning(0.5),
        [150, 500, 2_000],
    ),
    (
        "Ratio of two targets, paired in blocks of ten that share 30 % of their variance",
        Question::Ratio(Design::Paired),
        Memory::Shared(0.3),
        [120, 300, 1_200],
    ),
];

impl Shape {
    const ALL: [Self; 3] = [Self::Skewed, Self::VerySkewed, Self::Bimodal];

    const fn in_words(self) -> &'static str {
        match self {
            Self::Skewed => "skewed",
            Self::VerySkewed => "very skewed",
            Self::Bimodal => "bimodal",
        }
    }
}

fn main() {
    for (title, question, memory, sizes) in TABLES {
        println!(
            "\n{title}:\n\n| values | n | mean | median | p95 | p99 |\n| --- | ---: | ---: | ---: | ---: | ---: |"
        );
        for shape in Shape::ALL {
            for n in sizes {
                let cells = STATISTICS.map(|statistic| cell(&Experiment { shape, memory, n, question, statistic }));
                println!("| {} | {n} | {} |", shape.in_words(), cells.join(" | "));
            }
        }
    }
}

/// Percent of the intervals given that held the truth; and of the experiments that were given one, where not all were.
fn cell(experiment: &Experiment) -> String {
    let halves = thread::scope(|scope| {
        let half = |from: u64| scope.spawn(move || experiment.run(from..from + EXPERIMENTS / 2));
        let threads = [half(0), half(EXPERIMENTS / 2)];
        threads.map(|thread| thread.join().expect("an experiment does not panic"))
    });
    let [one, other] = halves;
    let Held { given, true_ones, .. } = one.with(other);
    let percent = |part: u64, of: u64| 100.0 * part as f64 / of as f64;
    match percent(given, EXPERIMENTS) {
        few if few < 10.0 => "—".to_owned(),
        some if some < 99.5 => format!("{:.1} ({some:.0} %)", percent(true_ones, given)),
        _ => format!("{:.1}", percent(true_ones, given)),
    }
}
