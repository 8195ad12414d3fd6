//! What votes on answers come to, as rows.

use schema::summary::Estimate;
use schema::vote::{Tally, Votes};

use crate::number::{counted, percent};
use crate::{Align, Cell, Column, Listing};

/// A row a contender, most preferred first. The first one's row tells whether its lead can be told.
pub fn votes(tally: &Tally) -> Listing {
    let column = |key, heading, align| Column { key, heading, align };
    let (left, right) = (Align::Left, Align::Right);
    Listing {
        title: format!("Votes: {}; rounds without one: {}", tally.votes, tally.skipped),
        columns: vec![
            column("target", "Target", left),
            column("model", "Model", left),
            column("simulated", "Simulated", left),
            column("shown", "Shown", right),
            column("preferred", "Preferred", right),
            column("alike", "Alike", right),
            column("chance", "Chance", right),
            column("chance_low", "from", right),
            column("chance_high", "to", right),
            column("verdict", "Verdict", left),
        ],
        rows: tally.contenders.iter().enumerate().map(|(place, votes)| row(tally, place, votes)).collect(),
    }
}

fn row(tally: &Tally, place: usize, votes: &Votes) -> Vec<Cell> {
    let Votes { contender, shown, preferred, alike, chance } = votes;
    let mark = if contender.simulated { " (SIMULATED)" } else { "" };
    let count = |count: u64| Cell::Number { shown: count.to_string(), value: count as f64 };
    let share = |share: f64| Cell::Number { shown: percent(share), value: share };
    let Estimate { value, low, high } = *chance;
    vec![
        Cell::Text(format!("{}{mark}", contender.target)),
        Cell::Text(contender.model.raw().to_owned()),
        Cell::Flag(contender.simulated),
        count(*shown),
        count(*preferred),
        count(*alike),
        share(value),
        low.map_or(Cell::Empty, share),
        high.map_or(Cell::Empty, share),
        if place == 0 { Cell::Text(verdict(tally)) } else { Cell::Empty },
    ]
}

fn verdict(tally: &Tally) -> String {
    match (tally.has_leader(), tally.needs_more) {
        (true, _) => "preferred to each other".to_owned(),
        (false, Some(more)) => format!("too close to call: about {} would tell", counted(more, "more vote")),
        (false, None) => "too close to call".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use schema::vote::Contender;

    use super::*;
    use crate::Style;

    fn tally(leader_p: f64, needs_more: Option<u64>) -> Tally {
        let votes = |name: &str, simulated, preferred, value: f64| Votes {
            contender: Contender {
                target: name.parse().unwrap(),
                provider: "vllm".into(),
                model: "=cmd()\u{1b}[2J".into(),
                simulated,
            },
            shown: 9,
            preferred,
            alike: 1,
            chance: Estimate { value, low: Some(value - 0.2), high: Some(value + 0.2) },
        };
        Tally {
            votes: 9,
            skipped: 2,
            contenders: vec![votes("groq", false, 6, 0.7), votes("vllm-sim", true, 2, 0.3)],
            leader_p: Some(leader_p),
            needs_more,
            ..Tally::default()
        }
    }

    #[test]
    fn a_tally_in_every_form() {
        let listing = votes(&tally(0.2, Some(14)));
        insta::assert_snapshot!("table", listing.table(Style { width: 140, color: false }));
        insta::assert_snapshot!("markdown", listing.markdown());
        insta::assert_snapshot!("csv", listing.csv());
        insta::assert_snapshot!("json", listing.json());
    }

    #[test]
    fn a_lead_is_told_or_it_is_not() {
        assert_eq!(verdict(&tally(0.01, None)), "preferred to each other");
        assert_eq!(verdict(&tally(0.9, None)), "too close to call");
    }

    #[test]
    fn without_votes_there_are_no_rows() {
        assert!(votes(&Tally::default()).rows.is_empty());
    }
}
