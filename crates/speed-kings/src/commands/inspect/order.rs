//! The request that is looked at: the first that a run of these settings would send.

use bytes::Bytes;
use schema::plan::Plan;
use schema::record::Phase;
use schema::target::Target;
use schema::units::Moment;
use transport::Order;
use wire::{Message, RequestSpec, Role};

use crate::commands::prepare::Prepared;

pub(super) fn of(prepared: &Prepared, target: &Target, now: Moment) -> Order {
    let plan = &prepared.resolved.plan;
    let picked = prepared.asked.prompts.pick(plan.seed, 0);
    let system = picked.prompt.system.as_deref().map(|text| Message::text(Role::System, text));
    let user = Message { role: Role::User, content: &picked.prompt.user, images: &picked.prompt.images };
    let messages: Vec<_> = system.into_iter().chain([user]).collect();
    let nonce = plan.workload.defeat_cache.then(|| {
        // Each time another: what a cache held back the last time is of no use.
        let salt = uuid::Uuid::now_v7().as_u64_pair().1;
        workload::nonce(salt, &target.name, Phase::Measured, 0)
    });
    let spec = RequestSpec {
        model: &target.model,
        messages: &messages,
        max_tokens: picked.max_tokens,
        force_length: plan.workload.force_length,
        temperature_milli: plan.workload.temperature_milli,
        // Servers keep it in a signed 32-bit number.
        seed: Some(plan.seed & 0x7fff_ffff),
        stream: plan.workload.stream,
        nonce: nonce.as_deref(),
        answer: plan.workload.answer,
    };
    Order {
        prompt: picked.number,
        prompt_tokens: picked.prompt.tokens,
        max_tokens: picked.max_tokens,
        forced_length: plan.workload.force_length && target.can_force_length(),
        stream: plan.workload.stream,
        keep_text: prepared.asked.prompts.tokenizer().is_some(),
        ..plain(plan, wire::encode(target.dialect, &target.encoding, &spec).into(), now)
    }
}

/// A request of its own, with this body.
pub(super) fn plain(plan: &Plan, body: Bytes, now: Moment) -> Order {
    Order {
        index: 0,
        phase: Phase::Measured,
        block: 0,
        step: 0,
        attempt: 0,
        prompt: 0,
        prompt_tokens: None,
        conversation: None,
        max_tokens: 0,
        forced_length: false,
        scheduled: now,
        body,
        stream: plan.workload.stream,
        keep_text: false,
    }
}
