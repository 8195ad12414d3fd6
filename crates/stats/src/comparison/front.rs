//! Cost against latency.

use schema::comparison::{Criterion, Front, FrontPoint, Ranking};

/// The latencies that cost is set against.
const LATENCIES: [Criterion; 2] = [Criterion::TtftP95, Criterion::E2eP50];

/// One front a latency for which two targets or more have both numbers.
pub(crate) fn fronts(rankings: &[Ranking]) -> Vec<Front> {
    let by = |criterion| rankings.iter().find(|ranking: &&Ranking| ranking.criterion == criterion);
    let Some(costs) = by(Criterion::CostPer1kRequests) else { return Vec::new() };
    LATENCIES.iter().filter_map(|&latency| front(latency, by(latency)?, costs)).collect()
}

fn front(latency: Criterion, latencies: &Ranking, costs: &Ranking) -> Option<Front> {
    let point = |standing: &schema::comparison::Standing| {
        let other = latencies.standings.iter().find(|other| other.target == standing.target)?;
        Some(FrontPoint {
            target: standing.target.clone(),
            simulated: standing.simulated,
            cost_per_1k_requests_usd: standing.estimate?.value,
            latency_ns: other.estimate?.value,
            dominated_by: Vec::new(),
        })
    };
    let mut points: Vec<FrontPoint> = costs.standings.iter().filter_map(point).collect();
    if points.len() < 2 {
        return None;
    }
    let all = points.clone();
    for point in &mut points {
        let better = all.iter().filter(|other| dominates(other, point));
        point.dominated_by = better.map(|other| other.target.clone()).collect();
    }
    Some(Front { latency, points })
}

/// Whether one is no dearer and no slower than another, and not alike.
fn dominates(one: &FrontPoint, other: &FrontPoint) -> bool {
    let cost = one.cost_per_1k_requests_usd.total_cmp(&other.cost_per_1k_requests_usd);
    let latency = one.latency_ns.total_cmp(&other.latency_ns);
    cost.is_le() && latency.is_le() && (cost.is_lt() || latency.is_lt())
}
