//! The socket under the HTTP library: ends a connection whose head takes too long, replaces the library's bare
//! refusals by complete answers, and lingers where the library would cut the client off before it has read them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::rt::time::timeout;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::Bounds;
use super::ticks::{tick, watch};
use crate::edge::{Connection, Edge, bare};

pub(super) struct Socket {
    /// Taken only by `drop`.
    stream: Option<TcpStream>,
    connection: Rc<Connection>,
    edge: Edge,
    peer: Option<IpAddr>,
    linger: Duration,
    replaced: Option<Replaced>,
}

/// A complete answer on its way out instead of a bare one.
struct Replaced {
    bytes: Vec<u8>,
    written: usize,
    /// Bytes of the library's buffer that it stands for.
    stands_for: usize,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, peer: Option<SocketAddr>, edge: Edge, bounds: Bounds) -> Self {
        let connection = Rc::new(Connection::opened(tick()));
        watch(&connection, bounds);
        if let Some(metrics) = edge.metrics() {
            metrics.connected();
        }
        let peer = peer.map(|peer| peer.ip());
        Self { stream: Some(stream), connection, edge, peer, linger: bounds.linger, replaced: None }
    }

    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn write_replaced(&mut self, cx: &mut Context<'_>, mut replaced: Replaced) -> Poll<io::Result<usize>> {
        while let Some(rest) = replaced.bytes.get(replaced.written..).filter(|rest| !rest.is_empty()) {
            match self.stream()?.poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => replaced.written = replaced.written.saturating_add(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.replaced = Some(replaced);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(replaced.stands_for))
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.connection.is_overdue() {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = self.stream()?.poll_read(cx, buf);
        if polled.is_pending() {
            self.connection.waits(cx.waker());
        } else if buf.filled().len() > before {
            self.connection.fed(tick());
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(replaced) = self.replaced.take() {
            return self.write_replaced(cx, replaced);
        }
        if self.connection.is_stuck() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let Some((at, status)) = bare::find(buf) else {
            let polled = self.stream()?.poll_write(cx, buf);
            if polled.is_pending() {
                self.connection.stuck(tick(), cx.waker());
            } else {
                self.connection.took();
            }
            return polled;
        };
        self.connection.linger();
        let mut bytes = buf.get(..at).unwrap_or_default().to_vec();
        bytes.extend(self.edge.refusal(status, self.peer));
        self.write_replaced(cx, Replaced { bytes, written: 0, stands_for: buf.len() })
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(metrics) = self.edge.metrics() {
            metrics.disconnected();
        }
        if !self.connection.lingers() {
            return;
        }
        let (Some(stream), Ok(runtime)) = (self.stream.take(), tokio::runtime::Handle::try_current()) else { return };
        let moment = self.linger;
        runtime.spawn(async move {
            // Closing with unread bytes in the buffer resets the connection, and the client loses the answer.
            let _ = timeout(moment, discard(stream)).await;
        });
    }
}

async fn discard(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}
