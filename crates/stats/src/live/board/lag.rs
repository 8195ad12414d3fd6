//! Whether the client keeps up, by the bounds of the verdict on a run's quality.

use schema::plan::Plan;
use schema::units::Nanos;

use super::seen::TargetSeen;
use crate::quality::{self, Evidence};
use crate::summary;

/// Values below which nothing is said of a p99.
const FEW: u64 = 20;

/// How the client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Light {
    /// Too little was seen to tell.
    NotKnown,
    /// It is in time.
    Good,
    /// It is late, but that is in no figure.
    Warn,
    /// It is late, and that is in the figures.
    Bad,
}

impl Light {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::NotKnown => "not known",
            Self::Good => "good",
            Self::Warn => "late, but not in the figures",
            Self::Bad => "client-limited",
        }
    }
}

/// The client's own lateness.
#[derive(Debug, Clone, PartialEq)]
pub struct Lights {
    /// What it comes to.
    pub light: Light,
    /// From the kernel's arrival to our reading, 99th percentile.
    pub client_lag_p99: Option<Nanos>,
    /// From due to sent, 99th percentile.
    pub schedule_lag_p99: Option<Nanos>,
    /// Why it is not good, in words.
    pub why: Vec<String>,
}

pub(super) fn lights(plan: &Plan, target: &TargetSeen) -> Lights {
    let p99 = |of: &super::Histogram| if of.len() < FEW { None } else { of.quantile(0.99) };
    let (client_lag_p99, schedule_lag_p99) = (p99(&target.client_lag), p99(&target.schedule_lag));
    let share = |part: u64| if target.events == 0 { 0.0 } else { part as f64 / target.events as f64 };
    let float = |span: Nanos| span.0 as f64;
    let evidence = Evidence {
        first: summary::first_of(target.embeds()),
        ttft: None,
        ttft_p50: if target.embeds() { target.e2e() } else { target.ttft() }.quantile(0.5).map(float),
        lateness: summary::lateness(plan, target.throttled() > 0),
        requests_per_s: 0.0,
        calibration: None,
        itl_p50: target.itl().quantile(0.5).map(float),
        client_lag_p99: client_lag_p99.map(float),
        shared_reads: share(target.shared),
        schedule_lag_p99: schedule_lag_p99.map(float),
        kernel_stamped: share(target.kernel),
        starved_slos: 0,
        not_offered: None,
    };
    let (bad, warn) = quality::lateness(&evidence);
    let light = match (bad.is_empty(), warn.is_empty()) {
        _ if client_lag_p99.is_none() && schedule_lag_p99.is_none() => Light::NotKnown,
        (false, _) => Light::Bad,
        (true, false) => Light::Warn,
        (true, true) => Light::Good,
    };
    Lights { light, client_lag_p99, schedule_lag_p99, why: bad.into_iter().chain(warn).collect() }
}
