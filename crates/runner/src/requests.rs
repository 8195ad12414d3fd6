//! The bodies of a run's requests: encoded before they are due where requests share them.

use bytes::{Bytes, BytesMut};
use load::Slot;
use schema::plan::{Plan, Prompt, Workload};
use schema::record::Phase;
use schema::target::{Credentialed, Price, Target};
use schema::units::{Moment, Usd};
use transport::Order;
use uuid::Uuid;
use wire::{Message, RequestSpec, Role};
use workload::{Picked, Prompts};

use crate::budget;
use crate::conversations::Talk;
use crate::sender::At;

/// All that a run may ask, ready to be sent to each of its targets.
pub(crate) struct Requests {
    seed: u64,
    salt: u64,
    workload: Workload,
    keep_text: bool,
    /// Whether anybody wants to know beforehand how many tokens a request is.
    estimates: bool,
    prompts: Prompts,
    /// Whether making one takes so long that others would notice.
    large: bool,
    targets: Vec<Ready>,
}

struct Ready {
    target: Target,
    forced: bool,
    /// Those of the first prompts; the others are encoded for their requests.
    bodies: Vec<Body>,
}

/// A body encoded beforehand.
struct Body {
    bytes: Bytes,
    /// Where the nonce stands, if there is one.
    nonce_at: Option<usize>,
    /// How long an answer it asks for.
    max_tokens: u32,
    most_input: u64,
}

/// One request, ready to be sent.
pub(crate) struct Asked {
    /// For the transport.
    pub(crate) order: Order,
    /// The most input tokens it can reasonably be; zero if nobody wants to know.
    pub(crate) most_input: u64,
    /// The most tokens its answer can be.
    pub(crate) most_output: u32,
    /// Turns of the conversation it belongs to; one if it stands alone.
    pub(crate) turns: u32,
}

/// Bodies encoded beforehand, for all targets together: bytes, and each target's prompts.
const MOST_PREPARED_BYTES: usize = 256 << 20;
const MOST_PREPARED: u32 = 16_384;

/// Bodies of more bytes, made for their requests, take more than a tenth of a millisecond.
const LARGE_BYTES: usize = 32 << 10;

/// Requests that are looked at to learn how large they are.
const SAMPLES: u64 = 8;

/// Estimates of token counts from text are this much too low at worst, in hundredths.
const ESTIMATE_MARGIN_PERCENT: u64 = 150;

/// Chat templates wrap each message in a few tokens of their own.
const TEMPLATE_TOKENS: u64 = 64;

/// Large pictures count for one to two thousand tokens at most providers.
const IMAGE_TOKENS: u64 = 4096;

/// Numbers of prompts that no measured request comes to, and that records can still tell.
const WARMUP_NUMBERS: u64 = 1 << 31;

/// The number by which a request's prompt, or its conversation's, is picked. A warm-up has prompts of its own where there
/// are enough: caches are not filled with what is about to be measured.
const fn number(phase: Phase, index: u64) -> u64 {
    match phase {
        Phase::Warmup => WARMUP_NUMBERS + index,
        Phase::Measured => index,
    }
}

impl Requests {
    pub(crate) fn new(plan: &Plan, targets: &[Credentialed], prompts: &Prompts, run_id: Uuid) -> Self {
        let mut requests = Self {
            seed: plan.seed,
            salt: run_id.as_u64_pair().1,
            workload: plan.workload.clone(),
            // The recorder counts the tokens of what was generated.
            keep_text: plan.keep_text || prompts.tokenizer().is_some(),
            estimates: plan.budget_usd.is_some() || plan.respect_limits,
            prompts: prompts.clone(),
            large: false,
            targets: Vec::new(),
        };
        let most_bytes = MOST_PREPARED_BYTES / targets.len().max(1);
        requests.targets = targets.iter().map(|who| requests.ready(&who.target, most_bytes)).collect();
        let made_on_demand = prompts.len().is_none();
        let bytes =
            |index| requests.encode(&requests.targets[0].target, &prompts.pick(plan.seed, index), &[], None).len();
        requests.large = made_on_demand && !targets.is_empty() && (0..SAMPLES).any(|index| bytes(index) > LARGE_BYTES);
        requests
    }

    /// Whether making one takes so long that the requests in flight on the same thread would notice.
    pub(crate) const fn are_large(&self) -> bool {
        self.large
    }

    fn ready(&self, target: &Target, most_bytes: usize) -> Ready {
        let forced = self.workload.force_length && target.can_force_length();
        let mut room = most_bytes;
        let numbers = 0..self.prompts.len().unwrap_or(0).min(MOST_PREPARED);
        let bodies = numbers.map_while(|number| {
            let body = self.prepare(target, &self.prompts.at(number)?);
            room = room.checked_sub(body.bytes.len())?;
            Some(body)
        });
        Ready { target: target.clone(), forced, bodies: bodies.collect() }
    }

    fn prepare(&self, target: &Target, picked: &Picked<'_>) -> Body {
        // Stands in for the nonces, and is as long.
        let stand_in = format!("{:016x}", !self.salt);
        let nonce = self.workload.defeat_cache.then_some(stand_in.as_str());
        let bytes = self.encode(target, picked, &[], nonce);
        let nonce_at = nonce.and_then(|nonce| bytes.windows(nonce.len()).position(|part| part == nonce.as_bytes()));
        let most_input = self.most_input(&picked.prompt, &[]);
        Body { bytes, nonce_at, max_tokens: picked.max_tokens, most_input }
    }

    fn encode(&self, target: &Target, picked: &Picked<'_>, answers: &[String], nonce: Option<&str>) -> Bytes {
        let spec = RequestSpec {
            model: &target.model,
            messages: &messages(&picked.prompt, answers),
            max_tokens: picked.max_tokens,
            force_length: self.workload.force_length,
            temperature_milli: self.workload.temperature_milli,
            // Servers keep it in a signed 32-bit number.
            seed: Some(self.seed & 0x7fff_ffff),
            stream: self.workload.stream,
            nonce,
            answer: self.workload.answer,
        };
        wire::encode(target.dialect, &target.encoding, &spec).into()
    }

    /// What `slot` asks, at this attempt: its own prompt, or the next turn of `talk`.
    pub(crate) fn ask(&self, at: At, slot: Slot, attempt: u32, talk: Option<&Talk>) -> Asked {
        let ready = &self.targets[at.target];
        let answers = talk.map_or(&[][..], Talk::answers);
        let picked = self.pick(at.phase, talk.map_or(slot.index, Talk::number));
        let nonce = (self.workload.defeat_cache || self.would_give_away(at.phase)).then(|| {
            // What a failed attempt left in a cache is of no use to the next.
            let salt = self.salt.wrapping_add(attempt.into());
            workload::nonce(salt, &ready.target.name, at.phase, slot.index)
        });
        let prepared = self.prepared(ready, &picked).filter(|_| answers.is_empty());
        let prepared = prepared.filter(|body| body.nonce_at.is_some() == nonce.is_some());
        let (body, most_input) = match prepared {
            Some(body) => (body.with(nonce.as_deref()), body.most_input),
            None => (
                self.encode(&ready.target, &picked, answers, nonce.as_deref()),
                self.most_input(&picked.prompt, answers),
            ),
        };
        let mut order = self.order(at, slot, &picked);
        order.attempt = attempt;
        order.conversation = talk.map(Talk::place);
        // Nobody has counted what later turns carry.
        order.prompt_tokens = order.prompt_tokens.filter(|_| answers.is_empty());
        order.body = body;
        Asked {
            order,
            most_input,
            most_output: if ready.target.dialect.embeds() { 0 } else { picked.max_tokens },
            turns: self.workload.turns.min(1 + u32::try_from(picked.prompt.followups.len()).unwrap_or(u32::MAX - 1)),
        }
    }

    /// The most that the first request of a target in that phase can cost.
    pub(crate) fn most_of_first(&self, target: usize, phase: Phase, price: &Price) -> Usd {
        let slot = Slot { index: 0, scheduled: Moment::EPOCH, stream: 0 };
        let asked = self.ask(At { target, phase, block: 0, step: 0 }, slot, 0, None);
        budget::most(price, asked.most_input, asked.most_output)
    }

    /// The request of `slot` without its body: one that is not sent.
    pub(crate) fn unsent(&self, at: At, slot: Slot) -> Order {
        self.order(at, slot, &self.pick(at.phase, slot.index))
    }

    /// Whether a warm-up would leave in a cache just what is about to be measured: there is no other prompt to ask.
    fn would_give_away(&self, phase: Phase) -> bool {
        phase == Phase::Warmup && self.prompts.len() == Some(1)
    }

    /// The prompt of a request, or of a conversation, and how long its answer may be.
    fn pick(&self, phase: Phase, number_in_phase: u64) -> Picked<'_> {
        let mut picked = self.prompts.pick(self.seed, number(phase, number_in_phase));
        if phase == Phase::Warmup {
            let most = self.workload.warmup_max_tokens.unwrap_or(picked.max_tokens);
            picked.max_tokens = picked.max_tokens.min(most);
        }
        picked
    }

    fn order(&self, at: At, slot: Slot, picked: &Picked<'_>) -> Order {
        Order {
            index: slot.index,
            phase: at.phase,
            block: at.block,
            step: at.step,
            attempt: 0,
            prompt_tokens: picked.prompt.tokens,
            conversation: None,
            prompt: picked.number,
            max_tokens: picked.max_tokens,
            forced_length: self.targets[at.target].forced,
            scheduled: slot.scheduled,
            body: Bytes::new(),
            stream: self.workload.stream,
            keep_text: self.keep_text,
        }
    }

    fn prepared<'a>(&self, ready: &'a Ready, picked: &Picked<'_>) -> Option<&'a Body> {
        // Where each request is made when it is picked, a number names no prompt.
        let body = self.prompts.len().and_then(|_| ready.bodies.get(picked.number as usize));
        body.filter(|body| body.max_tokens == picked.max_tokens)
    }

    /// The most input tokens that `prompt` after these answers can reasonably be.
    fn most_input(&self, prompt: &Prompt, answers: &[String]) -> u64 {
        if !self.estimates {
            return 0;
        }
        let messages = messages(prompt, answers);
        let text: u64 = messages.iter().map(|message| workload::estimate_tokens(message.content)).sum();
        let images: u64 = messages.iter().map(|message| message.images.len() as u64).sum();
        text * ESTIMATE_MARGIN_PERCENT / 100 + messages.len() as u64 * TEMPLATE_TOKENS + images * IMAGE_TOKENS
    }
}

impl Body {
    /// The bytes, with this nonce where the other stood in for it.
    fn with(&self, nonce: Option<&str>) -> Bytes {
        match (nonce, self.nonce_at) {
            (Some(nonce), Some(from)) => {
                let mut bytes = BytesMut::from(self.bytes.as_ref());
                bytes[from..from + nonce.len()].copy_from_slice(nonce.as_bytes());
                bytes.freeze()
            }
            _ => self.bytes.clone(),
        }
    }
}

/// The prompt, then each answer with what is said after it.
fn messages<'a>(prompt: &'a Prompt, answers: &'a [String]) -> Vec<Message<'a>> {
    let system = prompt.system.as_deref().map(|text| Message::text(Role::System, text));
    let user = Message { role: Role::User, content: &prompt.user, images: &prompt.images };
    let later = answers.iter().zip(&prompt.followups);
    let later = later
        .flat_map(|(answer, followup)| [Message::text(Role::Assistant, answer), Message::text(Role::User, followup)]);
    system.into_iter().chain([user]).chain(later).collect()
}

#[cfg(test)]
mod tests;
