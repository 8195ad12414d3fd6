//! When tokens leave, and how a person writes it.

use std::str::FromStr;

use schema::units::Nanos;

use crate::engine::EngineModel;
use crate::error::SimError;
use crate::stepper::Stepper;

/// When tokens leave.
#[derive(Debug, Clone)]
pub enum Pace {
    /// As an engine of these numbers would: queue, batch, KV cache. Timers have the 1 ms of tokio's
    /// clock; lateness of a step does not add up over an answer.
    Model(EngineModel),
    /// Each stream by its own timer, whatever the others do: for accuracy and scale tests. Deadlines
    /// are absolute from the request's arrival and rounded up to tokio's 1 ms.
    Fixed {
        /// From the request's arrival to the first token.
        ttft: Nanos,
        /// From one event to the next; zero: as fast as the socket takes them, one event a write.
        itl: Nanos,
    },
    /// An engine of known capacity, servers ÷ mean service time: each request has a server to itself for
    /// its service time, over which its tokens come evenly; the others queue, first come, first served.
    Servers {
        /// Requests in service at most, at least 1.
        servers: u32,
        /// Mean service time of a request.
        service: Nanos,
        /// Coefficient of variation of the (lognormal) service times; 0: all alike.
        spread: f64,
    },
    /// An engine that completes X(N) = λN ÷ (1 + σ(N − 1) + κN(N − 1)) requests a second with N in service,
    /// the universal scalability law. They share it evenly; nobody queues.
    Law {
        /// λ: requests a second of a single stream.
        lambda: f64,
        /// σ: contention, from 0 to 1.
        contention: f64,
        /// κ: coherency, from 0 to 1.
        coherency: f64,
    },
    /// A token leaves when the test releases it.
    Stepped(Stepper),
}

impl Pace {
    /// Everything at once: as fast as sockets take it, one event a write.
    pub const AT_ONCE: Self = Self::Fixed { ttft: Nanos::ZERO, itl: Nanos::ZERO };

    pub(crate) fn check(&self) -> Result<(), SimError> {
        let problem = |field, value: String, help| Err(SimError::Model { field, value, help });
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        match *self {
            Self::Model(ref model) => model.check(),
            Self::Servers { servers, .. } if !(1..=MOST_SERVERS).contains(&servers) => {
                problem("servers", servers.to_string(), "from 1 to 10,000")
            }
            Self::Servers { service, .. } if service == Nanos::ZERO => {
                problem("service", service.to_string(), "a request takes some time")
            }
            Self::Servers { spread, .. } if !(0.0..=10.0).contains(&spread) => {
                problem("spread", spread.to_string(), "a coefficient of variation from 0 to 10")
            }
            Self::Law { lambda, .. } if !(1e-3..=1e6).contains(&lambda) => {
                problem("lambda", lambda.to_string(), "requests a second, from 0.001 to a million")
            }
            Self::Law { contention, .. } if !is_share(contention) => {
                problem("contention", contention.to_string(), "from 0 to 1")
            }
            Self::Law { coherency, .. } if !is_share(coherency) => {
                problem("coherency", coherency.to_string(), "from 0 to 1")
            }
            _ => Ok(()),
        }
    }
}

/// Servers an engine may have.
const MOST_SERVERS: u32 = 10_000;

/// Text that is no pace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is no pace of a simulated engine")]
#[diagnostic(
    code(sim::pace),
    help(
        "write `servers:8,500ms` (with a coefficient of variation: `servers:8,500ms,0.3`), `law:2.0,0.05,0.002`, `fixed:50ms,10ms` or `at-once`"
    )
)]
pub struct PaceError(pub String);

impl FromStr for Pace {
    type Err = PaceError;

    /// Reads `servers:SERVERS,SERVICE[,SPREAD]`, `law:LAMBDA,CONTENTION,COHERENCY`, `fixed:TTFT,ITL` and `at-once`.
    fn from_str(text: &str) -> Result<Self, PaceError> {
        let pace = read(text.trim()).filter(|pace| pace.check().is_ok());
        pace.ok_or_else(|| PaceError(text.chars().take(80).collect()))
    }
}

fn read(text: &str) -> Option<Pace> {
    if text == "at-once" {
        return Some(Pace::AT_ONCE);
    }
    let (kind, numbers) = text.split_once(':')?;
    let numbers: Vec<&str> = numbers.split(',').map(str::trim).collect();
    match (kind.trim(), numbers.as_slice()) {
        ("fixed", [ttft, itl]) => Some(Pace::Fixed { ttft: ttft.parse().ok()?, itl: itl.parse().ok()? }),
        ("servers", [servers, service, rest @ ..]) if rest.len() <= 1 => Some(Pace::Servers {
            servers: servers.parse().ok()?,
            service: service.parse().ok()?,
            spread: rest.first().map_or(Some(0.0), |spread| spread.parse().ok())?,
        }),
        ("law", [lambda, contention, coherency]) => Some(Pace::Law {
            lambda: lambda.parse().ok()?,
            contention: contention.parse().ok()?,
            coherency: coherency.parse().ok()?,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let read = text.parse::<Pace>().map_or_else(|error| error.to_string(), |pace| format!("{pace:?}"));
        assert_eq!(read, expected);
    }

    #[test]
    fn a_pace_is_read_as_it_is_written() {
        check("at-once", "Fixed { ttft: Nanos(0), itl: Nanos(0) }");
        check("fixed:50ms,10ms", "Fixed { ttft: Nanos(50000000), itl: Nanos(10000000) }");
        check("servers:8,500ms", "Servers { servers: 8, service: Nanos(500000000), spread: 0.0 }");
        check("servers: 8, 500ms, 0.3", "Servers { servers: 8, service: Nanos(500000000), spread: 0.3 }");
        check("law:2.0,0.05,0.002", "Law { lambda: 2.0, contention: 0.05, coherency: 0.002 }");
    }

    #[test]
    fn what_no_engine_can_do_is_no_pace() {
        for wrong in [
            "",
            "model",
            "at-once:1",
            "servers:8",
            "servers:0,1s",
            "servers:8,0ns",
            "servers:8,500",
            "servers:8,1s,nan",
            "servers:8,1s,1,1",
            "law:0,0,0",
            "law:1,2,0",
            "law:1,0",
            "fixed:1ms",
        ] {
            check(wrong, &format!("`{wrong}` is no pace of a simulated engine"));
        }
    }
}
