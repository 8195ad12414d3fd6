//! One answer's way out: every write timed, logged and counted.

use std::io;

use schema::units::Moment;
use tokio::io::AsyncWriteExt as _;

use crate::clock;
use crate::head::Head;
use crate::http::{Inbox, client_gone};
use crate::journal::{Trace, Written};
use crate::page::Page;
use crate::socket::Socket;
use crate::state::State;

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Keep,
    Close,
}

/// How bytes are handed to the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// All at once.
    Whole,
    /// In two parts, the cut inside a multi-byte character where there is one.
    Halves,
    /// One by one.
    Bytes,
}

/// One request being answered.
pub(crate) struct Exchange<'a, S> {
    pub(crate) socket: &'a mut S,
    /// What the client sends meanwhile.
    pub(crate) inbox: &'a mut Inbox,
    pub(crate) state: &'a State,
    pub(crate) received: Moment,
    pub(crate) manner: Manner,
    pub(crate) id: String,
    /// Writes so far, if anyone wants them.
    writes: Option<Vec<Written>>,
}

impl<'a, S: Socket> Exchange<'a, S> {
    /// Of the request of this number.
    pub(crate) fn new(socket: &'a mut S, inbox: &'a mut Inbox, state: &'a State, number: u64) -> Self {
        let received = Moment(socket.received_ns().unwrap_or_else(clock::now_ns));
        let writes = state.journal.is_wanted().then(Vec::new);
        let id = format!("{:016x}", state.draw(number, 0));
        Self { socket, inbox, state, received, manner: Manner::Whole, id, writes }
    }

    /// Writes bytes that carry so many tokens; `content`: of generated text.
    pub(crate) async fn write(&mut self, bytes: &[u8], tokens: u32, content: bool) -> io::Result<()> {
        let before_ns = self.writes.as_ref().map_or(0, |_| clock::now_ns());
        match self.manner {
            Manner::Whole => self.socket.write_all(bytes).await?,
            Manner::Halves => {
                let cut = bytes.iter().position(|byte| byte & 0xc0 == 0x80).unwrap_or(bytes.len() / 2);
                self.socket.write_all(&bytes[..cut]).await?;
                self.socket.flush().await?;
                self.socket.write_all(&bytes[cut..]).await?;
            }
            Manner::Bytes => {
                for byte in bytes {
                    self.socket.write_all(std::slice::from_ref(byte)).await?;
                    self.socket.flush().await?;
                }
            }
        }
        self.socket.flush().await?;
        self.note(before_ns, bytes.len(), tokens, content);
        Ok(())
    }

    fn note(&mut self, before_ns: u64, bytes: usize, tokens: u32, content: bool) {
        self.state.bytes.fetch_add(bytes as u64, std::sync::atomic::Ordering::Relaxed);
        if let Some(writes) = &mut self.writes {
            let took_ns = u32::try_from(clock::now_ns() - before_ns).unwrap_or(u32::MAX);
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            writes.push(Written { before_ns, took_ns, bytes, tokens, content });
        }
    }

    /// Writes a page with its head.
    pub(crate) async fn page(&mut self, page: Page) -> io::Result<After> {
        let head = self.head(page.status, page.content_type, page.headers, Some(page.body.len()));
        self.write(&[head, page.body].concat(), 0, false).await?;
        Ok(After::Keep)
    }

    pub(crate) fn head(
        &self,
        status: u16,
        content_type: Option<&str>,
        mut headers: Vec<(&'static str, String)>,
        length: Option<usize>,
    ) -> Vec<u8> {
        self.state.gate.tell(clock::now, &mut headers);
        Head { status, content_type, headers, length, request_id: Some(&self.id) }.bytes(self.state)
    }

    /// Says nothing more until the client leaves.
    pub(crate) async fn fall_silent(&mut self) -> After {
        client_gone(self.socket, self.inbox).await;
        After::Close
    }
}

impl<S> Drop for Exchange<'_, S> {
    /// Hands the trace to the journal, however the answer ended.
    fn drop(&mut self) {
        if let Some(writes) = self.writes.take() {
            let request_id = std::mem::take(&mut self.id);
            self.state.journal.push(Trace { request_id, received_ns: self.received.0, writes });
        }
    }
}
