//! A TCP socket that knows when its bytes arrived and left.

use std::cell::{RefCell, RefMut};
use std::io;
use std::net::TcpStream;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use schema::units::{Moment, Nanos};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock::Clock;

/// One read from the kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Read {
    /// The kernel's receive time of the last of these bytes, or when user space had them.
    pub arrival: Moment,
    /// When user space had them.
    pub seen: Moment,
    /// Whether `arrival` is the kernel's.
    pub kernel: bool,
}

/// What the socket writes down while a request is on it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    awaiting_send: bool,
    /// Just before the first write of the request.
    pub(crate) start: Option<Moment>,
    /// The kernel's transmit time of the last write of the request.
    pub(crate) sent: Option<Moment>,
    /// The first read since `start` that brought something of the answer.
    pub(crate) first: Option<Read>,
    /// The latest read.
    pub(crate) last: Read,
    /// Reads since `start`.
    pub(crate) reads: u32,
}

impl Ledger {
    /// Forgets the request before; the next write is the start of a new one.
    pub(crate) fn arm(&mut self) {
        *self = Self { awaiting_send: true, last: self.last, ..Self::default() };
    }

    /// The latest read brought something of the answer: not TLS's own messages alone.
    pub(crate) fn answered(&mut self) {
        self.first.get_or_insert(self.last);
    }
}

/// A ledger shared between a socket and the exchange that reads it. One task drives both, and holds it only between
/// two calls of theirs.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedLedger(Rc<RefCell<Ledger>>);

impl SharedLedger {
    pub(crate) fn open(&self) -> RefMut<'_, Ledger> {
        self.0.borrow_mut()
    }
}

/// The socket. Reads go through `recvmsg` where the kernel stamps them.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: AsyncFd<TcpStream>,
    clock: Clock,
    ledger: SharedLedger,
    stamping: Stamping,
}

/// Which stamps a socket asks for, and why.
#[derive(Debug)]
struct Stamping {
    stamps: Stamps,
    /// What the kernel offers and may be used.
    offered: Stamps,
    /// Requests that had a transmit stamp, and when the last of them was sent.
    sends_stamped: (u32, Moment),
}

/// Which stamps were asked of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stamps {
    /// None: user space only.
    None,
    /// Of what is received.
    Receive,
    /// Of what is received and sent.
    Both,
}

impl Socket {
    /// Takes over a connected stream, asking for stamps where wanted and possible.
    pub(crate) fn new(tcp: tokio::net::TcpStream, clock: Clock, user_space_only: bool) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let tcp = tcp.into_std()?;
        let stamps = if user_space_only { Stamps::None } else { kernel::ask(&tcp, Stamps::Both) };
        #[expect(deprecated, reason = "its successor is `unsafe`; a `TcpStream` keeps its one descriptor for life")]
        let fd = AsyncFd::new(tcp)?;
        let stamping = Stamping { stamps, offered: stamps, sends_stamped: (0, Moment::EPOCH) };
        Ok(Self { fd, clock, ledger: SharedLedger::default(), stamping })
    }

    pub(crate) const fn ledger(&self) -> &SharedLedger {
        &self.ledger
    }
}

impl Stamping {
    /// Decides whether the request that begins `now` with a write of `bytes` has a transmit stamp; whether that took a
    /// word with the kernel.
    fn choose(&mut self, tcp: &TcpStream, bytes: usize, now: Moment) -> bool {
        let (count, before) = self.sends_stamped;
        let is_due = count < SENDS_ALWAYS_STAMPED || now - before >= SENDS_STAMPED_EVERY;
        let is_wanted = self.offered == Stamps::Both && is_due && bytes <= LARGEST_STAMPED_WRITE;
        let wanted = if is_wanted { Stamps::Both } else { self.offered.min(Stamps::Receive) };
        let is_new = wanted != self.stamps;
        if is_new {
            self.stamps = kernel::ask(tcp, wanted);
        }
        if self.stamps == Stamps::Both {
            self.sends_stamped = (count.saturating_add(1), now);
        }
        is_new
    }
}

/// Most that one read takes. More would save system calls on answers faster than anyone generates, and blur the
/// stamps of streams: a read has one.
pub(crate) const LARGEST_READ: usize = 8 << 10;

/// Reads once, into `buf`.
fn land(socket: &Socket, wanted: usize, buf: &mut ReadBuf<'_>) -> io::Result<(usize, Option<u64>)> {
    let room = buf.initialize_unfilled_to(wanted);
    let (n, stamp) = kernel::receive(socket.fd.get_ref(), room, socket.stamping.stamps)?;
    buf.advance(n);
    Ok((n, stamp))
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let mut ready = ready!(this.fd.poll_read_ready(cx))?;
            let wanted = buf.remaining().min(LARGEST_READ);
            match land(this, wanted, buf) {
                Ok((n, stamp)) => {
                    let mut ledger = this.ledger.open();
                    // A stamp cannot be older than the bytes read before it: a clock was set.
                    let (seen, placed) = match stamp {
                        Some(stamp) => this.clock.place(stamp, ledger.last.arrival),
                        None => (this.clock.now(), None),
                    };
                    if n > 0 {
                        let read = Read { arrival: placed.unwrap_or(seen), seen, kernel: placed.is_some() };
                        if ledger.sent.is_none() && ledger.first.is_none() && this.stamping.stamps == Stamps::Both {
                            ledger.sent = kernel::transmitted(this.fd.get_ref(), &this.clock, ledger.start);
                        }
                        ledger.last = read;
                        ledger.reads = ledger.reads.saturating_add(1);
                    }
                    // A short read emptied the queue: wait for the next edge without asking again.
                    if 0 < n && n < wanted {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// Above this a request may fill the send buffer, and a pending transmit stamp would keep the socket
/// looking writable (`EPOLLERR`): such connections go without transmit stamps.
const LARGEST_STAMPED_WRITE: usize = 64 << 10;

/// A transmit stamp costs as much as a quarter of a short request: beyond a connection's first ones, requests that
/// follow each other faster than this go without, but for one now and then.
const SENDS_STAMPED_EVERY: Nanos = Nanos::from_millis(50);
const SENDS_ALWAYS_STAMPED: u32 = 8;

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        use std::io::Write as _;
        let this = self.get_mut();
        let stamping = &mut this.stamping;
        if stamping.stamps == Stamps::Both && data.len() > LARGEST_STAMPED_WRITE {
            stamping.stamps = kernel::ask(this.fd.get_ref(), Stamps::Receive);
        }
        loop {
            let mut ready = ready!(this.fd.poll_write_ready(cx))?;
            let mut ledger = this.ledger.open();
            if ledger.awaiting_send {
                ledger.awaiting_send = false;
                let now = this.clock.now();
                let took_time = stamping.choose(this.fd.get_ref(), data.len(), now);
                ledger.start = Some(if took_time { this.clock.now() } else { now });
            }
            match this.fd.get_ref().write(data) {
                Ok(n) => {
                    if stamping.stamps == Stamps::Both {
                        // Taken after every write, or they would pile up in the socket's memory.
                        let sent = kernel::transmitted(this.fd.get_ref(), &this.clock, ledger.start);
                        if ledger.first.is_none() {
                            ledger.sent = sent;
                        }
                    }
                    return Poll::Ready(Ok(n));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.fd.get_ref().shutdown(std::net::Shutdown::Write))
    }
}

/// Keeps kernel stamping switched on while it lives: the kernel turns it on a moment after the first
/// socket asks, so one that asks for the whole process spares the first request the wait.
#[derive(Debug)]
#[must_use = "stamping may lapse when this is dropped"]
pub struct StampHold(#[expect(dead_code, reason = "held, never read")] Option<std::net::UdpSocket>);

/// Opens a socket whose only purpose is to ask for stamps. Fails quietly: without it the first
/// arrivals of a process may be stamped in user space.
pub fn hold_stamps_on() -> StampHold {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").ok();
    if let Some(socket) = &socket {
        kernel::ask(socket, Stamps::Receive);
    }
    StampHold(socket)
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::io::{self, IoSliceMut};
    use std::net::TcpStream;
    use std::os::fd::{AsFd, AsRawFd};
    use std::time::Duration;

    use nix::sys::socket::{ControlMessageOwned, MsgFlags, TimestampingFlag, recvmsg, setsockopt, sockopt};
    use schema::units::{Moment, Nanos};

    use super::Stamps;
    use crate::clock::Clock;

    /// Room for one `SCM_TIMESTAMPING` (64 bytes) and the error queue's `sock_extended_err` (48).
    const CONTROL_BYTES: usize = 192;

    /// Asks the kernel for stamps; what it refuses is not used.
    pub(super) fn ask(socket: &impl AsFd, wanted: Stamps) -> Stamps {
        let receive = TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE;
        let send = TimestampingFlag::SOF_TIMESTAMPING_TX_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_OPT_TSONLY;
        if wanted == Stamps::Both && setsockopt(socket, sockopt::Timestamping, &(receive | send)).is_ok() {
            return Stamps::Both;
        }
        if setsockopt(socket, sockopt::Timestamping, &receive).is_ok() { Stamps::Receive } else { Stamps::None }
    }

    /// Reads what is there, with the kernel's receive time (nanoseconds since 1970) of its last segment.
    pub(super) fn receive(tcp: &TcpStream, room: &mut [u8], stamps: Stamps) -> io::Result<(usize, Option<u64>)> {
        if stamps == Stamps::None {
            return io::Read::read(&mut &*tcp, room).map(|n| (n, None));
        }
        message(tcp, room, MsgFlags::empty())
    }

    /// The kernel's transmit time of the last write, where it has one; empties the error queue.
    pub(super) fn transmitted(tcp: &TcpStream, clock: &Clock, start: Option<Moment>) -> Option<Moment> {
        let mut latest = None;
        while let Ok((_, stamp)) = message(tcp, &mut [], MsgFlags::MSG_ERRQUEUE) {
            latest = stamp.or(latest);
        }
        clock.place(latest?, start?).1
    }

    fn message(tcp: &TcpStream, room: &mut [u8], flags: MsgFlags) -> io::Result<(usize, Option<u64>)> {
        let mut control = [0_u8; CONTROL_BYTES];
        let mut parts = [IoSliceMut::new(room)];
        let message = recvmsg::<()>(tcp.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
        let stamp = message.cmsgs().ok().and_then(|mut all| {
            all.find_map(|one| match one {
                ControlMessageOwned::ScmTimestampsns(times) => Some(Nanos::from(Duration::from(times.system)).0),
                _ => None,
            })
        });
        Ok((message.bytes, stamp.filter(|ns| *ns > 0)))
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::io::{self, Read as _};
    use std::net::TcpStream;

    use schema::units::Moment;

    use super::Stamps;
    use crate::clock::Clock;

    pub(super) fn ask<T>(_: &T, _: Stamps) -> Stamps {
        Stamps::None
    }

    pub(super) fn receive(mut tcp: &TcpStream, room: &mut [u8], _: Stamps) -> io::Result<(usize, Option<u64>)> {
        tcp.read(room).map(|n| (n, None))
    }

    pub(super) fn transmitted(_: &TcpStream, _: &Clock, _: Option<Moment>) -> Option<Moment> {
        None
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// Which of these requests, each sent so many milliseconds after the first with a write of so many bytes, are
    /// stamped by a kernel that offers this.
    fn stamped(offered: Stamps, requests: &[(u64, usize)]) -> Vec<bool> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut stamping = Stamping { stamps: offered, offered, sends_stamped: (0, Moment::EPOCH) };
        let mut choose = |&(after, bytes): &(u64, usize)| {
            let before = stamping.stamps;
            let asked = stamping.choose(&tcp, bytes, Moment::EPOCH + Nanos::from_secs(1) + Nanos::from_millis(after));
            assert_eq!(asked, stamping.stamps != before, "the kernel is asked for what is new alone");
            stamping.stamps == Stamps::Both
        };
        requests.iter().map(&mut choose).collect()
    }

    #[test]
    fn the_first_requests_have_transmit_stamps_and_then_one_now_and_then() {
        let mut requests: Vec<_> = (0..10).map(|after| (after, 100)).collect();
        requests.extend([(57, 100), (58, 100), (106, 100), (107, 100)]);
        let expected = [[true; 8].as_slice(), &[false, false, true, false, false, true]].concat();
        assert_eq!(stamped(Stamps::Both, &requests), expected);
    }

    #[test]
    fn large_requests_have_none_and_count_for_none() {
        let requests = [[(0, LARGEST_STAMPED_WRITE + 1); 8], [(1, LARGEST_STAMPED_WRITE); 8]].concat();
        assert_eq!(stamped(Stamps::Both, &requests), [[false; 8], [true; 8]].concat());
    }

    #[test]
    fn what_is_not_offered_is_never_asked_for() {
        for offered in [Stamps::None, Stamps::Receive] {
            assert_eq!(stamped(offered, &[(0, 100), (1, 100), (200, LARGEST_STAMPED_WRITE + 1)]), [false; 3]);
        }
    }
}
