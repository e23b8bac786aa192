//! A listener that knows how many connections are open, so that the daemon can leave when there are
//! none.

use axum::serve::Listener;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{UnixListener, UnixStream, unix::SocketAddr},
    sync::watch,
};

/// How many connections are open, and how many there have been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) open: usize,
    pub(crate) ever: u64,
}

pub(crate) struct CountingListener {
    listener: UnixListener,
    count: Arc<watch::Sender<Count>>,
}

impl CountingListener {
    pub(crate) fn new(listener: UnixListener) -> (Self, watch::Receiver<Count>) {
        let (count, receiver) = watch::channel(Count::default());
        (Self { listener, count: Arc::new(count) }, receiver)
    }
}

impl Listener for CountingListener {
    type Io = CountedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // `Listener` of tokio's own type waits out errors such as too many open files.
        let (stream, address) = Listener::accept(&mut self.listener).await;
        self.count.send_modify(|count| {
            count.open += 1;
            count.ever += 1;
        });
        (CountedStream { stream, count: Arc::clone(&self.count) }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection that counts as open until it is dropped.
pub(crate) struct CountedStream {
    stream: UnixStream,
    count: Arc<watch::Sender<Count>>,
}

impl CountedStream {
    /// The process that has connected, where the system says.
    pub(crate) fn peer(&self) -> Option<u32> {
        let pid = self.stream.peer_cred().ok()?.pid()?;
        // None or zero: it is in a namespace that we do not see into, and no child of ours.
        u32::try_from(pid).ok().filter(|pid| *pid != 0)
    }
}

impl Drop for CountedStream {
    fn drop(&mut self) {
        self.count.send_modify(|count| count.open = count.open.saturating_sub(1));
    }
}

impl AsyncRead for CountedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
