//! One request of a turn, from its slot to its records: one for each attempt at it.
//!
//! ```text
//! slot ─▶ asked ─▶ limits ─▶ budget ─▶ transport ─▶ record ─▶ recorder
//!           ▲                                          └─ what it says of target, limits, costs
//!           └────────── back-off, where it may pass ◀──┘
//! ```

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use load::{After, Slot};
use schema::event::Event;
use schema::progress::{Follow, Progress, Stage, Ticket};
use schema::record::{Outcome, Partial, Phase, Record};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use transport::{Client, Head, Order, Watch};
use wire::Frame;

use crate::budget::Reserved;
use crate::conversations::{Said, Talk};
use crate::limits::Admitted;
use crate::recorder::Message;
use crate::requests::Asked;
use crate::retry;
use crate::standing::Standing;
use crate::workers::{Crew, Shared};

/// Failures in a row that a closed loop takes in its stride.
const FREE_FAILURES: u32 = 3;

/// A closed loop's longest pause between failures is 2^10 ms.
const MOST_DOUBLINGS: u32 = 10;

/// Where in the run requests stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    /// Which target, by its position.
    pub(crate) target: usize,
    /// What they count for.
    pub(crate) phase: Phase,
    /// Their block.
    pub(crate) block: u32,
    /// Their step of a search.
    pub(crate) step: u32,
}

/// What the places of requests are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Of an open loop: arrivals come whatever happens.
    Open,
    /// Of a closed loop: the next request begins when this one has ended.
    Closed,
}

/// Sends the requests of one turn on one thread.
pub(crate) struct Sender {
    shared: Arc<Shared>,
    client: Rc<Client>,
    at: At,
    place: Place,
    /// When the turn stops sending, if it ends by time.
    until: Option<Moment>,
    /// Cancelled when the turn is to send nothing more.
    sending: CancellationToken,
    /// Failures since the last request that did not fail.
    failures: Cell<u32>,
}

/// The turn ended before the request could be sent.
struct Cut;

/// How long a closed loop's place stays taken after so many failures in a row.
fn pause(failures: u32) -> Option<Duration> {
    let beyond = failures.checked_sub(FREE_FAILURES)?.checked_sub(1)?;
    Some(Duration::from_millis(1 << beyond.min(MOST_DOUBLINGS)))
}

impl Sender {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        client: &Rc<Client>,
        at: At,
        place: Place,
        until: Option<Moment>,
        sending: CancellationToken,
    ) -> Self {
        let (shared, client) = (Arc::clone(shared), Rc::clone(client));
        Self { shared, client, at, place, until, sending, failures: Cell::new(0) }
    }

    /// Sends the request of `slot`, again where the plan says so, and hands its records on. Ends when the request's
    /// place is free again.
    pub(crate) async fn send(self: Rc<Self>, slot: Slot) -> After {
        let phase = self.at.phase;
        let after = if self.holds_conversations() {
            let conversations = &self.standing().conversations;
            let talk = conversations.take(phase, slot.stream);
            let mut said = Said::default();
            match self.attempts(slot, Some(&talk), Some(&mut said)).await {
                Ok(asked) => {
                    let answer = asked.is_some().then(|| said.answer());
                    conversations.put_back(phase, slot.stream, talk, answer, asked.map_or(1, |asked| asked.turns))
                }
                Err(_) => conversations.put_aside(phase, slot.stream, talk),
            }
        } else {
            // Whatever came of it, the place is free.
            drop(self.attempts(slot, None, None).await);
            After::SessionGoesOn
        };
        self.pause_after_failures().await;
        after
    }

    /// Records a request of an open loop that found no place.
    pub(crate) fn not_sent(&self, slot: Slot) {
        self.keep_unsent(&self.shared.crew.requests.unsent(self.at, slot));
    }

    /// How its target stands.
    fn standing(&self) -> &Standing {
        &self.shared.crew.standings[self.at.target]
    }

    fn holds_conversations(&self) -> bool {
        self.place == Place::Closed && self.shared.crew.plan.workload.turns > 1
    }

    async fn ask(&self, slot: Slot, attempt: u32, talk: Option<&Talk>) -> Asked {
        let requests = &self.shared.crew.requests;
        if talk.is_some() || !requests.are_large() {
            return requests.ask(self.at, slot, attempt, talk);
        }
        // Meanwhile this thread has other requests to look after.
        let (requests, at) = (Arc::clone(requests), self.at);
        let made = tokio::task::spawn_blocking(move || requests.ask(at, slot, attempt, None)).await;
        made.unwrap_or_else(|error| resume_unwind(error.into_panic()))
    }

    /// Attempts at one request, until one of them is the last. What was asked, if it was answered; an error if the last
    /// attempt was not sent.
    async fn attempts(
        &self,
        slot: Slot,
        talk: Option<&Talk>,
        mut said: Option<&mut Said>,
    ) -> Result<Option<Asked>, Cut> {
        for attempt in 0.. {
            let asked = self.ask(slot, attempt, talk).await;
            let record = self.once(&asked, slot.stream, said.as_deref_mut()).await;
            let record = record.inspect_err(|Cut| self.cut(&asked))?;
            let answered = record.outcome.is_complete();
            let back_off = self.back_off(&record);
            self.shared.keep(record);
            if answered {
                return Ok(Some(asked));
            }
            let Some(back_off) = back_off else { break };
            // The place stays taken, and the request is as late as it is: what it waits is in the next attempt's TTFT from
            // schedule, and in no other latency.
            if self.wait(back_off).await.is_err() {
                break;
            }
        }
        Ok(None)
    }

    /// One attempt.
    async fn once(&self, asked: &Asked, stream: u32, said: Option<&mut Said>) -> Result<Box<Record>, Cut> {
        let crew = &self.shared.crew;
        let standing = self.standing();
        let mut admitted = match &standing.pace {
            Some(pace) => {
                let tokens = asked.most_input.saturating_add(asked.most_output.into());
                let tell = |wait: Nanos| {
                    let name = &self.client.target().name;
                    let note = format!("`{name}`: a request waits for {wait} to stay below the limits it publishes");
                    crew.tell(Progress::Note(note));
                };
                Some(self.in_time(pace.admit(tokens, crew.connector.clock(), tell)).await?)
            }
            None => None,
        };
        let reserved = self.reserve(asked).await?;
        let flying = standing.fly();
        let teller = (crew.follow > Follow::Records).then(|| self.teller(&asked.order, stream));
        let mut watch = Listener { crew, admitted: admitted.as_mut(), said, teller };
        let record = self.client.send(&asked.order, &mut watch).await;
        drop(flying);
        if let Some(admitted) = admitted {
            admitted.learn(&record);
        }
        reserved.settle(self.client.target(), &record);
        self.learn(&record.outcome);
        Ok(record)
    }

    fn teller(&self, order: &Order, stream: u32) -> Teller<'_> {
        let ticket = Ticket {
            target: self.client.target().name.clone(),
            phase: order.phase,
            block: order.block,
            index: order.index,
            attempt: order.attempt,
            stream,
        };
        Teller { crew: &self.shared.crew, ticket, answered: false }
    }

    /// Sets the money aside. A target that the budget has no room for is sent nothing more, and the others go on.
    async fn reserve(&self, asked: &Asked) -> Result<Reserved<'_>, Cut> {
        let crew = &self.shared.crew;
        let target = self.client.target();
        let reserving = crew.budget.reserve(target.price.as_ref(), asked.most_input, asked.most_output);
        self.in_time(reserving).await?.map_err(|used_up| {
            if self.standing().run_out(used_up)
                && let Some(note) = self.standing().unpaid_note(&target.name)
            {
                crew.tell(Progress::Note(note));
            }
            Cut
        })
    }

    fn learn(&self, outcome: &Outcome) {
        let standing = self.standing();
        if standing.hope.learn(self.at.phase, outcome) {
            standing.drop_it();
            if let Some(note) = standing.hope.note(&self.client.target().name) {
                self.shared.crew.tell(Progress::Note(note));
            }
        }
        let failed = matches!(outcome, Outcome::Failed(_));
        self.failures.set(if failed { self.failures.get().saturating_add(1) } else { 0 });
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn back_off(&self, record: &Record) -> Option<Nanos> {
        let plan = &self.shared.crew.plan;
        let retry = plan.retry.as_ref()?;
        let failure = retry::may_pass(record)?;
        let draw = retry::draw(plan.seed, record.index, record.attempt);
        retry::back_off(retry, record.attempt, failure.retry_after_ns, draw)
    }

    /// Waits that long, unless sending ends before.
    async fn wait(&self, wait: Nanos) -> Result<(), Cut> {
        let over = self.now() + wait;
        if self.until.is_some_and(|until| over >= until) {
            return Err(Cut);
        }
        self.in_time(tokio::time::sleep_until(self.instant(over))).await
    }

    /// What `future` gives, if it does before sending ends.
    async fn in_time<T>(&self, future: impl Future<Output = T>) -> Result<T, Cut> {
        tokio::select! {
            biased;
            given = future => Ok(given),
            () = self.sending.cancelled() => Err(Cut),
            () = self.turn_over() => Err(Cut),
        }
    }

    async fn turn_over(&self) {
        match self.until {
            Some(until) => tokio::time::sleep_until(self.instant(until)).await,
            None => std::future::pending().await,
        }
    }

    /// A request of an open loop was due whether or not it could be sent. In a closed loop, and for a further attempt,
    /// nobody was promised one.
    fn cut(&self, asked: &Asked) {
        if self.place == Place::Open && asked.order.attempt == 0 {
            self.keep_unsent(&asked.order);
        }
    }

    /// Records a request that was due and never left, whatever it waited for: as not sent or, where the turn was ended
    /// before its time, as cancelled with those under way.
    fn keep_unsent(&self, order: &Order) {
        let was_time_left = self.until.is_none_or(|until| self.now() < until);
        let is_ended_early = was_time_left && self.sending.is_cancelled();
        let mut record = self.client.not_sent(order);
        if is_ended_early {
            record.outcome = Outcome::Cancelled;
        }
        self.shared.keep(record);
    }

    /// A server that is gone answers at once: a closed loop is not run against it as fast as this machine can.
    async fn pause_after_failures(&self) {
        if self.place == Place::Closed
            && let Some(pause) = pause(self.failures.get())
        {
            // The place is free when the pause is over, or there is no use for it.
            drop(self.in_time(tokio::time::sleep(pause)).await);
        }
    }

    fn now(&self) -> Moment {
        self.shared.crew.connector.clock().now()
    }

    fn instant(&self, moment: Moment) -> Instant {
        self.shared.crew.connector.clock().instant(moment)
    }
}

/// Passes parts of streams on to the recorder, and hears what limits are published and what is to be carried into the
/// next turn. Parts only matter if the process dies: when the queue is full they are dropped.
struct Listener<'a, 'b> {
    crew: &'a Crew,
    /// Where limits are respected.
    admitted: Option<&'a mut Admitted<'b>>,
    said: Option<&'a mut Said>,
    teller: Option<Teller<'a>>,
}

/// Tells those who watch how far a request has come.
struct Teller<'a> {
    crew: &'a Crew,
    ticket: Ticket,
    /// Whether its first content was told.
    answered: bool,
}

/// Text of one piece at most that viewers are told, in bytes.
const MOST_TOLD: usize = 16 << 10;

impl Teller<'_> {
    fn tell(&self, at: Moment, stage: Stage) {
        self.crew.tell(Progress::Moved { ticket: self.ticket.clone(), at, stage });
    }

    fn tell_frame(&mut self, event: &Event, frame: &Frame<'_>) {
        let with_text = self.crew.follow == Follow::Text;
        let is_first = event.kind.is_content() && !self.answered;
        if !with_text && !is_first {
            return;
        }
        self.answered |= is_first;
        let text = with_text.then(|| {
            let said = [&frame.reasoning, &frame.text, &frame.tool_call].into_iter().flatten();
            Untrusted::bounded(said.map(AsRef::as_ref).collect::<String>(), MOST_TOLD)
        });
        self.tell(event.arrival, Stage::Heard { kind: event.kind, tokens: event.tokens, text });
    }
}

impl Watch for Listener<'_, '_> {
    fn connecting(&mut self) {
        if let Some(teller) = &self.teller {
            teller.tell(teller.crew.connector.clock().now(), Stage::Connecting);
        }
    }

    fn sent(&mut self, about: Moment) {
        if let Some(teller) = &self.teller {
            teller.tell(about, Stage::Sent);
        }
    }

    fn answering(&mut self, start: Moment, status: u16) {
        if let Some(teller) = &self.teller {
            teller.tell(teller.crew.connector.clock().now(), Stage::Answering { start, status });
        }
    }

    fn head(&mut self, head: Head<'_>) {
        // What a refusal asks for beside its limits is told by its record.
        if let Some(admitted) = self.admitted.as_mut().filter(|_| head.status == 200) {
            let limits = wire::read_headers(head.headers()).limits.at(Timestamp::now());
            admitted.hear(self.crew.connector.clock().now(), &limits);
        }
    }

    fn frame(&mut self, event: &Event, frame: &Frame<'_>) {
        if let Some(teller) = &mut self.teller {
            teller.tell_frame(event, frame);
        }
        if let Some(said) = &mut self.said {
            said.hear(frame);
        }
    }

    fn partial(&mut self, part: Partial) {
        drop(self.crew.recorder.try_send(Message::Partial(Box::new(part))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_slow_a_closed_loop_down() {
        let millis = |failures| pause(failures).map(|pause| pause.as_millis());
        assert_eq!([0, 1, 3].map(millis), [None; 3]);
        assert_eq!([4, 5, 8, 14, 15, u32::MAX].map(millis), [1, 2, 16, 1024, 1024, 1024].map(Some));
    }
}
