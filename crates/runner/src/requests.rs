//! The bodies of a run's requests, encoded before they are due.

use bytes::Bytes;
use load::Slot;
use schema::plan::{Plan, Prompt, Workload};
use schema::target::{Credentialed, Target};
use transport::Order;
use uuid::Uuid;
use wire::{Message, RequestSpec, Role};
use workload::Prompts;

use crate::sender::At;

/// Every body a run will send: encoded beforehand where requests share them.
pub(crate) struct Requests {
    seed: u64,
    salt: u64,
    workload: Workload,
    keep_text: bool,
    prompts: Prompts,
    /// Upper estimate of each prompt's input tokens.
    input_tokens: Vec<u64>,
    targets: Vec<Ready>,
}

struct Ready {
    target: Target,
    forced: bool,
    /// One a prompt; empty when every request differs.
    bodies: Vec<Bytes>,
}

/// Estimates of token counts from text are this much too low at worst, in hundredths.
const ESTIMATE_MARGIN_PERCENT: u64 = 150;

/// Chat templates wrap prompts in a few tokens of their own.
const TEMPLATE_TOKENS: u64 = 64;

impl Requests {
    pub(crate) fn new(plan: &Plan, targets: &[Credentialed], prompts: &Prompts, run_id: Uuid) -> Self {
        let mut requests = Self {
            seed: plan.seed,
            salt: run_id.as_u64_pair().1,
            workload: plan.workload.clone(),
            keep_text: plan.keep_text,
            input_tokens: prompts.as_slice().iter().map(most_input_tokens).collect(),
            prompts: prompts.clone(),
            targets: Vec::new(),
        };
        requests.targets = targets.iter().map(|who| requests.ready(&who.target)).collect();
        requests
    }

    fn ready(&self, target: &Target) -> Ready {
        let forced = self.workload.force_length && target.can_force_length();
        let prompts = if self.workload.defeat_cache { &[] } else { self.prompts.as_slice() };
        let bodies = prompts.iter().map(|prompt| self.encode(target, prompt, None)).collect();
        Ready { target: target.clone(), forced, bodies }
    }

    fn encode(&self, target: &Target, prompt: &Prompt, nonce: Option<&str>) -> Bytes {
        let user = Message { role: Role::User, content: &prompt.user };
        let system = prompt.system.as_deref().map(|content| Message { role: Role::System, content });
        let messages: Vec<_> = system.into_iter().chain([user]).collect();
        let spec = RequestSpec {
            model: &target.model,
            messages: &messages,
            max_tokens: prompt.max_tokens.unwrap_or(self.workload.max_tokens),
            force_length: self.workload.force_length,
            temperature_milli: self.workload.temperature_milli,
            // Servers keep it in a signed 32-bit number.
            seed: Some(self.seed & 0x7fff_ffff),
            stream: self.workload.stream,
            nonce,
        };
        wire::encode(target.dialect, &target.encoding, &spec).into()
    }

    /// The request of `slot`.
    pub(crate) fn order(&self, at: At, slot: Slot) -> Order {
        let At { target, phase, block, step } = at;
        let Slot { index, scheduled, .. } = slot;
        let ready = &self.targets[target];
        let number = workload::choose(self.prompts.as_slice().len(), self.seed, index);
        let prompt = &self.prompts.as_slice()[number];
        let body = ready.bodies.get(number).cloned().unwrap_or_else(|| {
            let nonce = workload::nonce(self.salt, &ready.target.name, phase, index);
            self.encode(&ready.target, prompt, Some(&nonce))
        });
        Order {
            index,
            phase,
            block,
            step,
            attempt: 0,
            prompt_tokens: None,
            conversation: None,
            prompt: u32::try_from(number).unwrap_or(u32::MAX),
            max_tokens: prompt.max_tokens.unwrap_or(self.workload.max_tokens),
            forced_length: ready.forced,
            scheduled,
            body,
            stream: self.workload.stream,
            keep_text: self.keep_text,
        }
    }

    /// The most input tokens prompt `number` can reasonably be.
    pub(crate) fn most_input_tokens(&self, number: u32) -> u64 {
        self.input_tokens.get(number as usize).copied().unwrap_or(0)
    }
}

fn most_input_tokens(prompt: &Prompt) -> u64 {
    workload::estimate_prompt_tokens(prompt) * ESTIMATE_MARGIN_PERCENT / 100 + TEMPLATE_TOKENS
}
