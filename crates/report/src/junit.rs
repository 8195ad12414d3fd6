//! A gate as JUnit XML, the form in which CI systems read tests: a suite a target, a case a check.
//!
//! Elements and attributes as in the schema of Jenkins' xUnit plugin (`junit-10.xsd`), which GitLab, GitHub's test
//! reporters and Azure read too.

use std::fmt::Write as _;

use schema::gate::{Check, CheckVerdict, Gate, SloCheck};
use schema::target::TargetName;

use crate::gate::as_verdict;
use crate::{clean, figure};

/// One case: what it is called, and what became of it.
struct Case {
    name: String,
    verdict: CheckVerdict,
    /// One line.
    message: String,
    /// What was measured.
    detail: String,
}

/// The checks of `gate` as JUnit XML. A regression is a failure; what is undecided was skipped, or is a failure too where
/// `strict`. Ends with a line break.
pub fn junit(gate: &Gate, strict: bool) -> String {
    let suites: Vec<(&TargetName, Vec<Case>)> =
        targets(gate).into_iter().map(|target| (target, cases(gate, target))).collect();
    let all = suites.iter().flat_map(|(_, cases)| cases);
    let (tests, failures, skipped) = counts(all, strict);
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    line(
        &mut xml,
        0,
        &format!(
            "<testsuites name=\"speed-kings gate\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">"
        ),
    );
    for (target, cases) in &suites {
        suite(&mut xml, gate, target, cases, strict);
    }
    line(&mut xml, 0, "</testsuites>");
    xml
}

fn line(xml: &mut String, depth: usize, text: &str) {
    writeln!(xml, "{:indent$}{text}", "", indent = 2 * depth).expect("a string takes all that is written to it");
}

fn targets(gate: &Gate) -> Vec<&TargetName> {
    let mut targets: Vec<&TargetName> = Vec::new();
    for target in gate.checks.iter().map(|check| &check.target).chain(gate.slos.iter().map(|slo| &slo.target)) {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

fn cases(gate: &Gate, target: &TargetName) -> Vec<Case> {
    let checks = gate.checks.iter().filter(|check| check.target == *target).map(of_check);
    checks.chain(gate.slos.iter().filter(|slo| slo.target == *target).map(of_slo)).collect()
}

fn of_check(check: &Check) -> Case {
    let figure = check.bound.figure;
    let mark = if check.simulated { "SIMULATED; " } else { "" };
    let value = |estimate: &Option<schema::summary::Estimate>| {
        estimate.as_ref().map_or_else(|| "not known".to_owned(), |estimate| figure::estimate(figure, estimate))
    };
    let change = check.change.as_ref().map(|change| format!("; change {}", figure::change(figure, change)));
    Case {
        name: check.bound.to_string(),
        verdict: check.verdict,
        message: check.why.clone(),
        detail: format!(
            "{mark}baseline {}; run {}{}",
            value(&check.baseline),
            value(&check.run),
            change.unwrap_or_default()
        ),
    }
}

fn of_slo(check: &SloCheck) -> Case {
    Case {
        name: check.verdict.slo.to_string(),
        verdict: as_verdict(check.verdict.status),
        message: check.verdict.why.clone(),
        detail: if check.simulated { "SIMULATED".to_owned() } else { String::new() },
    }
}

/// Tests, failures, skipped.
fn counts<'a>(cases: impl Iterator<Item = &'a Case>, strict: bool) -> (usize, usize, usize) {
    cases.fold((0, 0, 0), |(tests, failures, skipped), case| match fate(case, strict) {
        Fate::Passed => (tests + 1, failures, skipped),
        Fate::Failed => (tests + 1, failures + 1, skipped),
        Fate::Skipped => (tests + 1, failures, skipped + 1),
    })
}

/// As JUnit knows it.
enum Fate {
    Passed,
    Failed,
    Skipped,
}

const fn fate(case: &Case, strict: bool) -> Fate {
    match case.verdict {
        CheckVerdict::Pass => Fate::Passed,
        CheckVerdict::Undecided if !strict => Fate::Skipped,
        CheckVerdict::Regression | CheckVerdict::Undecided => Fate::Failed,
    }
}

fn suite(xml: &mut String, gate: &Gate, target: &TargetName, cases: &[Case], strict: bool) {
    let (tests, failures, skipped) = counts(cases.iter(), strict);
    let (name, class) = (clean::xml(target.as_str()), format!("gate.{}", clean::xml(target.as_str())));
    let started = gate.run.started.strftime("%Y-%m-%dT%H:%M:%S");
    line(
        xml,
        1,
        &format!(
            "<testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" \
         timestamp=\"{started}\" time=\"0\">"
        ),
    );
    line(xml, 2, "<properties>");
    for (key, value) in [("run", &gate.run.folder), ("baseline", &gate.baseline_name)] {
        line(xml, 3, &format!("<property name=\"{key}\" value=\"{}\"/>", clean::xml(value)));
    }
    line(xml, 2, "</properties>");
    for case in cases {
        self::case(xml, &class, case, strict);
    }
    line(xml, 1, "</testsuite>");
}

fn case(xml: &mut String, class: &str, case: &Case, strict: bool) {
    let (message, detail) = (clean::xml(&case.message), clean::xml(&case.detail));
    line(xml, 2, &format!("<testcase classname=\"{class}\" name=\"{}\" time=\"0\">", clean::xml(&case.name)));
    match fate(case, strict) {
        Fate::Passed => {}
        Fate::Failed => {
            let kind = case.verdict.in_words();
            line(xml, 3, &format!("<failure type=\"{kind}\" message=\"{message}\">{detail}</failure>"));
        }
        Fate::Skipped => line(xml, 3, &format!("<skipped message=\"undecided: {message}\"/>")),
    }
    line(xml, 3, &format!("<system-out>{message}; {detail}</system-out>"));
    line(xml, 2, "</testcase>");
}

#[cfg(test)]
mod tests;
