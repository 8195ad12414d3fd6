//! Several runs of one plan as one run: their records behind each other, on one axis of time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use schema::curve::Step;
use schema::event::Event;
use schema::manifest::{Epoch, Manifest, Source, Status};
use schema::plan::{Judging, Plan, Stop};
use schema::record::{Phase, Record};
use schema::server::ServerSample;
use schema::target::{Target, TargetName};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};
use serde_json::Value;
use uuid::Uuid;

use crate::changes::changes;
use crate::{Draft, Run, RunDir, StoreError, Writer, verify_records};

/// Differences between two plans that are told; more would not help.
const TOLD: usize = 5;

/// What a merged run is called, and who made it when.
#[derive(Debug, Clone, Copy)]
pub struct MergeAs<'a> {
    /// The folder of results it goes to.
    pub out: &'a Path,
    /// Its name.
    pub name: &'a str,
    /// Its id.
    pub run_id: Uuid,
    /// Local time, for its folder.
    pub now: DateTime,
    /// Version of the program.
    pub program_version: &'a str,
}

/// Runs put together, not yet sealed.
#[derive(Debug)]
pub struct Merged {
    /// The run in the making.
    pub draft: Draft,
    /// How the runs it is made of ended: complete only when all of them did.
    pub status: Status,
    /// When the last of them ended.
    pub ended: Timestamp,
    /// What a reader should know, and what could not be read.
    pub notes: Vec<String>,
}

/// Puts the records of `runs` into one new run. Instants are moved onto the axis of the run that began first, by the
/// wall clocks of their machines; blocks, requests, steps and conversations are numbered on.
///
/// # Errors
/// When the runs did not ask the same of the same targets, one of them has not ended, is there twice or lacks records, or
/// the disk refuses.
pub fn merge(runs: &[Run], target: &MergeAs<'_>) -> Result<Merged, StoreError> {
    let mut runs: Vec<&Run> = runs.iter().collect();
    runs.sort_by_key(|run| run.manifest.epoch.wall);
    let differences = unlike(&runs);
    if !differences.is_empty() {
        return Err(StoreError::Unlike { differences });
    }
    let manifests: Vec<&Manifest> = runs.iter().map(|run| &run.manifest).collect();
    let mut draft = RunDir::draft(target.out, &manifest(&manifests, target), target.now, &[])?;
    let mut notes = notes(&manifests);
    let mut next = Next::default();
    let mut writer = draft.directory().writer();
    let mut counts = Vec::new();
    for run in &runs {
        let later = span(manifests[0].epoch.wall, run.manifest.epoch.wall);
        let before = next.clone();
        counts.push(copy(run, &Shift { later, by: &before }, &mut next, &mut writer, &mut notes)?);
    }
    writer.flush()?;
    drop(writer);
    draft.directory().amend(|manifest| {
        manifest.plan.blocks = next.block.max(1);
        manifest.sources = sources(&manifests, &counts);
    })?;
    let complete = manifests.iter().all(|manifest| manifest.status == Status::Complete);
    Ok(Merged {
        draft,
        status: if complete { Status::Complete } else { Status::Interrupted },
        ended: manifests.iter().map(|m| m.ended.unwrap_or(m.epoch.wall)).max().unwrap_or_default(),
        notes,
    })
}

/// Why runs cannot become one.
fn unlike(runs: &[&Run]) -> Vec<String> {
    let Some((first, others)) = runs.split_first().filter(|(_, others)| !others.is_empty()) else {
        return vec!["it takes two runs at least".to_owned()];
    };
    let mut differences = Vec::new();
    let mut seen = BTreeSet::new();
    for run in runs {
        let folder = folder(run);
        if run.manifest.status == Status::Running {
            differences.push(format!("`{folder}` has not ended; `speed-kings reprocess` ends a run that was killed"));
        }
        if !run.has_records() {
            differences.push(format!("`{folder}` has no records"));
        }
        differences.extend(run.lost_records().map(|path| format!("`{}` of `{folder}` is gone", clean(path))));
        if !own_ids(&run.manifest).into_iter().all(|id| seen.insert(id)) {
            differences.push(format!("`{folder}` is among them twice"));
        }
    }
    for run in others {
        let found = changes(&essence(&first.manifest.plan), &essence(&run.manifest.plan));
        let told = found.iter().take(TOLD).map(|change| {
            format!(
                "`{}` is {} in `{}` and {} in `{}`",
                clean(&change.at),
                value(change.before.as_ref()),
                folder(first),
                value(change.after.as_ref()),
                folder(run)
            )
        });
        differences.extend(told);
        if found.len() > TOLD {
            let more = schema::counted(found.len() - TOLD, "more place");
            differences.push(format!("`{}` differs in {more}", folder(run)));
        }
    }
    differences
}

/// What of a plan has to be equal: who is asked what, when and how. Simulated engines listen somewhere else each time.
fn essence(plan: &Plan) -> Plan {
    let kind = match plan.stop {
        Stop::Requests(_) => Stop::Requests(0),
        Stop::DurationNs(_) => Stop::DurationNs(Nanos::ZERO),
    };
    let target = |target: &Target| {
        let nowhere: &str = "http://simulated.invalid/";
        let url = if target.simulated { nowhere.parse().expect("it is an address") } else { target.url.clone() };
        let metrics_url = target.metrics_url.clone().filter(|_| !target.simulated);
        Target { url, metrics_url, ..target.clone() }
    };
    Plan {
        name: String::new(),
        targets: plan.targets.iter().map(target).collect(),
        stop: kind,
        grace_ns: Nanos::ZERO,
        warmup: 0,
        blocks: 0,
        seed: 0,
        slos: Vec::new(),
        budget_usd: None,
        keep_text: false,
        out: std::path::PathBuf::new(),
        until: None,
        drop_after: 0,
        scrape_ns: None,
        gpu_metrics: None,
        judging: Judging::default(),
        side_by_side: false,
        ..plan.clone()
    }
}

fn folder(run: &Run) -> String {
    clean(&run.path.file_name().unwrap_or_default().to_string_lossy())
}

fn clean(text: &str) -> String {
    Untrusted::bounded(text, 120).for_terminal()
}

fn value(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), |value| format!("`{}`", clean(&value.to_string())))
}

/// Ids of the runs whose records a run holds.
fn own_ids(manifest: &Manifest) -> Vec<String> {
    let merged: Vec<String> = manifest
        .sources
        .iter()
        .filter_map(|source| match source {
            Source::Run { run_id, .. } => Some(run_id.clone()),
            Source::File { .. } => None,
        })
        .collect();
    if merged.is_empty() { vec![manifest.run_id.to_string()] } else { merged }
}

fn manifest(parts: &[&Manifest], target: &MergeAs<'_>) -> Manifest {
    let first = parts[0];
    let sum = |of: fn(&Plan) -> u64| parts.iter().map(|part| of(&part.plan)).fold(0, u64::saturating_add);
    let length = |plan: &Plan| match plan.stop {
        Stop::Requests(count) => count,
        Stop::DurationNs(length) => length.0,
    };
    let stop = match first.plan.stop {
        Stop::Requests(_) => Stop::Requests(sum(length)),
        Stop::DurationNs(_) => Stop::DurationNs(Nanos(sum(length))),
    };
    let tags: BTreeSet<&String> = parts.iter().flat_map(|part| &part.tags).collect();
    let floors: Option<Vec<_>> = parts.iter().map(|part| part.calibration.as_ref()).collect();
    let worst = floors.and_then(|floors| floors.into_iter().max_by(|a, b| a.ttft_p50_ns.total_cmp(&b.ttft_p50_ns)));
    Manifest {
        run_id: target.run_id,
        status: Status::Running,
        program_version: target.program_version.to_owned(),
        plan: Plan {
            name: target.name.to_owned(),
            stop,
            warmup: sum(|plan| plan.warmup),
            budget_usd: None,
            until: None,
            out: target.out.to_owned(),
            ..first.plan.clone()
        },
        epoch: Epoch { monotonic_ns: 0, ..first.epoch },
        git: first.git.clone().filter(|git| parts.iter().all(|part| part.git.as_ref() == Some(git))),
        calibration: worst.cloned(),
        // It stands beside each of the runs, among the sources.
        found: Vec::new(),
        tags: tags.into_iter().cloned().collect(),
        sources: Vec::new(),
        notes: Vec::new(),
        ..first.clone()
    }
}

/// What a reader of the merged run should know.
fn notes(parts: &[&Manifest]) -> Vec<String> {
    let mut notes = vec![format!("the records of {} runs, put together", parts.len())];
    let all_alike = |of: fn(&Manifest) -> String| parts.windows(2).all(|pair| of(pair[0]) == of(pair[1]));
    if !all_alike(|part| format!("{:?}", part.machine)) {
        notes.push(
            "the runs were measured on machines that are not alike; `sources` in the manifest has each".to_owned(),
        );
    }
    if !all_alike(|part| part.program_version.clone()) {
        notes.push("the runs were measured by different versions of the program".to_owned());
    }
    if !all_alike(|part| format!("{:?}", part.plan.slos)) {
        notes.push("the runs had different bounds; those of the first hold".to_owned());
    }
    for part in parts {
        notes.extend(part.notes.iter().map(|note| format!("{}: {note}", part.plan.name)));
    }
    notes
}

fn sources(parts: &[&Manifest], counts: &[u64]) -> Vec<Source> {
    let source = |(part, count): (&&Manifest, &u64)| {
        let merged = part.sources.iter().any(|source| matches!(source, Source::Run { .. }));
        let itself = Source::Run {
            run_id: part.run_id.to_string(),
            name: part.plan.name.clone(),
            started: part.epoch.wall,
            seed: part.plan.seed,
            requests: *count,
            machine: Some(part.machine.clone()),
            found: part.found.clone(),
        };
        if merged { part.sources.clone() } else { vec![itself] }
    };
    parts.iter().zip(counts).flat_map(source).collect()
}

/// From one moment to a later one.
fn span(from: Timestamp, to: Timestamp) -> Nanos {
    Nanos(u64::try_from(to.duration_since(from).as_nanos()).unwrap_or(0))
}

/// The first numbers that are free after all that was copied.
#[derive(Debug, Clone, Default)]
struct Next {
    block: u32,
    step: u32,
    /// By target and whether it counts.
    index: BTreeMap<(TargetName, bool), u64>,
    conversation: BTreeMap<TargetName, u64>,
}

impl Next {
    fn index(&self, record: &Record) -> u64 {
        self.index.get(&key(record)).copied().unwrap_or(0)
    }

    /// Makes room after a record that was numbered on.
    fn pass(&mut self, record: &Record) {
        self.block = self.block.max(record.block.saturating_add(1));
        self.step = self.step.max(record.step.saturating_add(1));
        let index = self.index.entry(key(record)).or_default();
        *index = record.index.saturating_add(1).max(*index);
        if let Some(place) = record.conversation {
            let conversation = self.conversation.entry(record.target.clone()).or_default();
            *conversation = place.conversation.saturating_add(1).max(*conversation);
        }
    }
}

fn key(record: &Record) -> (TargetName, bool) {
    (record.target.clone(), record.phase == Phase::Measured)
}

/// How one run is moved behind those before it.
struct Shift<'a> {
    later: Nanos,
    by: &'a Next,
}

impl Shift<'_> {
    fn moment(&self, moment: Moment) -> Moment {
        moment + self.later
    }

    fn record(&self, record: Record, searched: bool) -> Record {
        let moved = |moment: Option<Moment>| moment.map(|moment| self.moment(moment));
        let mut conversation = record.conversation;
        if let Some(place) = &mut conversation {
            let before = self.by.conversation.get(&record.target).copied().unwrap_or(0);
            place.conversation = place.conversation.saturating_add(before);
        }
        Record {
            index: record.index.saturating_add(self.by.index(&record)),
            block: record.block.saturating_add(self.by.block),
            step: if searched { record.step.saturating_add(self.by.step) } else { record.step },
            conversation,
            scheduled_ns: self.moment(record.scheduled_ns),
            start_ns: moved(record.start_ns),
            sent_ns: moved(record.sent_ns),
            first_byte_ns: moved(record.first_byte_ns),
            headers_ns: moved(record.headers_ns),
            end_ns: moved(record.end_ns),
            events: record.events.iter().map(|event| Event { arrival: self.moment(event.arrival), ..event }).collect(),
            ..record
        }
    }

    fn step(&self, step: Step) -> Step {
        Step {
            number: step.number.saturating_add(self.by.step),
            began_ns: self.moment(step.began_ns),
            ended_ns: self.moment(step.ended_ns),
            ..step
        }
    }

    fn sample(&self, sample: ServerSample) -> ServerSample {
        ServerSample { at_ns: self.moment(sample.at_ns), ..sample }
    }
}

/// Copies all that was recorded of one run; returns how many requests there were.
fn copy(
    run: &Run,
    shift: &Shift<'_>,
    next: &mut Next,
    writer: &mut Writer,
    notes: &mut Vec<String>,
) -> Result<u64, StoreError> {
    let searched = run.manifest.plan.search.is_some();
    let mut count = 0;
    let of_run = |problem: String| format!("{}: {problem}", run.manifest.plan.name);
    for problem in verify_records(run) {
        let problem = of_run(problem.to_string());
        if !notes.contains(&problem) {
            notes.push(problem);
        }
    }
    for target in run.targets() {
        let mut records = run.records(target)?;
        for record in records.by_ref() {
            let record = shift.record(record?, searched);
            next.pass(&record);
            writer.append(&record)?;
            count += 1;
        }
        notes.extend(records.problems().into_iter().map(of_run));
        let mut steps = run.steps(target)?;
        for step in steps.by_ref() {
            let step = shift.step(step?);
            next.step = next.step.max(step.number.saturating_add(1));
            writer.append_step(&step)?;
        }
        notes.extend(steps.problems().into_iter().map(of_run));
        let mut samples = run.samples(target)?;
        for sample in samples.by_ref() {
            writer.append_sample(target, &shift.sample(sample?))?;
        }
        notes.extend(samples.problems().into_iter().map(of_run));
    }
    Ok(count)
}
