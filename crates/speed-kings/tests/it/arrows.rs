//! Which room may use which: the table of `STYLE.md`, held against the manifests.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{CargoOpt, DependencyKind, MetadataCommand};

/// A room and the rooms it may use. A room's tests may use any; `sim` serves them all.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "speed-kings",
        &[
            "schema",
            "wire",
            "workload",
            "providers",
            "stats",
            "report",
            "load",
            "transport",
            "store",
            "sim",
            "discover",
            "runner",
            "tui",
        ],
    ),
    ("tui", &["schema", "stats"]),
    ("runner", &["schema", "stats", "workload", "providers", "transport", "load", "store", "wire"]),
    ("discover", &["schema", "providers", "transport", "wire"]),
    ("transport", &["schema", "wire"]),
    ("load", &["schema"]),
    ("store", &["schema"]),
    ("sim", &["schema", "wire"]),
    ("wire", &["schema"]),
    ("workload", &["schema"]),
    ("providers", &["schema"]),
    ("stats", &["schema"]),
    ("report", &["schema", "stats"]),
    ("schema", &[]),
];

/// The rooms each room's manifest names, tests aside.
fn used() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .features(CargoOpt::AllFeatures)
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    let rooms: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let uses = |package: &cargo_metadata::Package| {
        let dependencies = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        dependencies.map(|d| d.name.clone()).filter(|name| rooms.contains(name)).collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), uses(package))).collect()
}

#[test]
fn every_room_is_in_the_table_and_uses_only_what_it_may() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(room, may_use)| (*room, may_use.iter().copied().collect())).collect();
    for (room, uses) in used() {
        let may_use = allowed.get(room.as_str()).unwrap_or_else(|| panic!("`{room}` is not in the table"));
        for other in uses {
            assert!(may_use.contains(other.as_str()), "`{room}` uses `{other}`, and the table has no such arrow");
        }
    }
}

#[test]
fn every_room_of_the_table_is_there() {
    let rooms = used();
    for (room, _) in ARROWS {
        assert!(rooms.contains_key(*room), "`{room}` is in the table and nowhere else");
    }
}

#[test]
fn arrows_never_lead_back() {
    let position = |room: &str| ARROWS.iter().position(|(name, _)| *name == room).unwrap();
    let sideways = [("sim", "wire"), ("report", "stats"), ("transport", "wire")];
    for (room, may_use) in ARROWS {
        for other in *may_use {
            let forward = position(other) > position(room) || sideways.contains(&(*room, *other)) || *other == "stats";
            assert!(forward, "`{room}` → `{other}` leads back");
        }
    }
}
