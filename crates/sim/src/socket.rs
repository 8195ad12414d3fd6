//! A connection's socket: bytes in and out, and the kernel's stamp on those that came in.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What a connection is served over.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {
    /// When the kernel received the bytes read last, nanoseconds of the monotonic clock.
    fn received_ns(&self) -> Option<u64> {
        None
    }

    /// Makes the coming close a reset, where the socket can.
    fn reset_on_close(&self) {}
}

/// Any stream, without kernel stamps: TLS, pipes.
#[derive(Debug)]
pub(crate) struct Plain<S>(pub(crate) S);

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for Plain<S> {}

impl<S: AsyncRead + Unpin> AsyncRead for Plain<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Plain<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A TCP socket whose reads carry the kernel's receive stamp, on Linux.
#[derive(Debug)]
pub(crate) struct Stamped {
    tcp: TcpStream,
    received_ns: Option<u64>,
    /// Where the kernel puts its stamps.
    #[cfg(target_os = "linux")]
    control: Vec<u8>,
}

impl Stamped {
    /// Takes over an accepted socket: no delay on writes, stamps on reads.
    pub(crate) fn new(tcp: TcpStream) -> Self {
        // Both are improvements that serving works without.
        drop(tcp.set_nodelay(true));
        ask_for_stamps(&tcp);
        Self {
            tcp,
            received_ns: None,
            #[cfg(target_os = "linux")]
            control: nix::cmsg_space!(nix::sys::socket::Timestamps),
        }
    }
}

impl Socket for Stamped {
    fn received_ns(&self) -> Option<u64> {
        self.received_ns
    }

    fn reset_on_close(&self) {
        // Without it the close is an ordinary one: a milder fault, nothing to stop for.
        drop(self.tcp.set_zero_linger());
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(target_os = "linux")]
impl AsyncRead for Stamped {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { tcp, received_ns, control } = self.get_mut();
        loop {
            std::task::ready!(tcp.poll_read_ready(cx))?;
            let room = buf.remaining();
            let mut received = None;
            let read = tcp.try_io(tokio::io::Interest::READABLE, || {
                let (bytes, stamp) = receive(tcp, buf, control)?;
                received = Some(stamp);
                // A short read emptied the queue: said so, the next one waits for the next edge without asking again.
                if 0 < bytes && bytes < room { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match (received, read) {
                (Some(stamp), _) => {
                    *received_ns = stamp;
                    return Poll::Ready(Ok(()));
                }
                (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                (None, read) => return Poll::Ready(read),
            }
        }
    }
}

/// Reads once: how many bytes, and the stamp of the last segment among them.
#[cfg(target_os = "linux")]
fn receive(tcp: &TcpStream, buf: &mut ReadBuf<'_>, control: &mut [u8]) -> io::Result<(usize, Option<u64>)> {
    use std::os::fd::AsRawFd as _;

    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

    let mut slices = [io::IoSliceMut::new(buf.initialize_unfilled())];
    let message = recvmsg::<()>(tcp.as_raw_fd(), &mut slices, Some(control), MsgFlags::empty())?;
    let stamp = message.cmsgs().ok().and_then(|mut messages| {
        messages.find_map(|message| match message {
            ControlMessageOwned::ScmTimestampsns(stamps) => Some(crate::clock::nanos_of(stamps.system)),
            _ => None,
        })
    });
    let bytes = message.bytes;
    buf.advance(bytes);
    Ok((bytes, stamp.filter(|stamp| *stamp != 0).and_then(crate::clock::monotonic_of_realtime)))
}

#[cfg(target_os = "linux")]
fn ask_for_stamps(tcp: &TcpStream) {
    use nix::sys::socket::{TimestampingFlag, setsockopt, sockopt};
    let flags = TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE;
    // A kernel that refuses leaves reads without a stamp: user-space time stands in.
    setsockopt(tcp, sockopt::Timestamping, &flags).ok();
}

#[cfg(not(target_os = "linux"))]
impl AsyncRead for Stamped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_stamps(_: &TcpStream) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::clock;

    #[tokio::test]
    async fn the_kernels_stamp_lies_between_sending_and_reading() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut server = Stamped::new(listener.accept().await.unwrap().0);
        // The kernel begins to stamp a moment after the first socket asks for it.
        for _ in 0..1_000 {
            let before = clock::now_ns();
            client.write_all(b"x").await.unwrap();
            server.read_exact(&mut [0]).await.unwrap();
            if let Some(stamp) = server.received_ns() {
                assert!(before <= stamp && stamp <= clock::now_ns());
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("no read had a stamp");
    }
}
