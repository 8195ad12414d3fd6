//! What was found of targets before they were measured, as a table.

use report::{Align, Cell, Column, Listing};
use schema::manifest::{Found, Manifest};
use schema::target::TargetName;

/// What was found of the targets before they were measured, where anything was.
pub(super) fn found(manifest: &Manifest) -> Option<Listing> {
    let is_simulated = |name: &TargetName| manifest.plan.targets.iter().any(|it| it.name == *name && it.simulated);
    let row = |target: &TargetName, what: &str, said: &str, source: &str| {
        let target = format!("{target}{}", if is_simulated(target) { " (SIMULATED)" } else { "" });
        [target.as_str(), what, said, source].map(|text| Cell::Text(text.to_owned())).to_vec()
    };
    let of = |found: &Found| {
        let Found { target, about, round_trip_ns } = found;
        let said = about.iter().map(|said| row(target, &said.name, said.value.raw(), &said.source));
        let round_trip = round_trip_ns.map(|time| row(target, "round trip", &time.to_string(), "TCP handshake"));
        said.chain(round_trip).collect::<Vec<_>>()
    };
    let column = |key, heading| Column { key, heading, align: Align::Left };
    let columns =
        vec![column("target", "Target"), column("name", "What"), column("value", "Found"), column("source", "By")];
    let rows: Vec<_> = manifest.found.iter().flat_map(of).collect();
    let title = "What was found of the targets before they were measured".to_owned();
    (!rows.is_empty()).then_some(Listing { title, columns, rows })
}
