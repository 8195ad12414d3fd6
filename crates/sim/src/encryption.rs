//! TLS with a certificate of the engine's own, made when it starts.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::socket::{Socket, Stamped};

/// What connections are encrypted with.
pub(crate) struct Encryption {
    acceptor: TlsAcceptor,
    /// The certificate, as PEM.
    pub(crate) certificate: String,
}

impl std::fmt::Debug for Encryption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encryption").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Encryption {
    /// A fresh key and a certificate for `localhost` and the address that is listened on.
    pub(crate) fn new(listen: SocketAddr) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), listen.ip().to_string()];
        let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names)?;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate: cert.pem() })
    }

    /// The server's part of the handshake.
    pub(crate) async fn welcome(&self, socket: Stamped) -> io::Result<Encrypted> {
        Ok(Encrypted(Box::new(self.acceptor.accept(socket).await?)))
    }
}

/// A socket under TLS; its stamps are those of the bytes beneath.
#[derive(Debug)]
pub(crate) struct Encrypted(Box<TlsStream<Stamped>>);

impl Socket for Encrypted {
    fn received_ns(&self) -> Option<u64> {
        self.0.get_ref().0.received_ns()
    }

    fn reset_on_close(&self) {
        self.0.get_ref().0.reset_on_close();
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Encrypted {
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
