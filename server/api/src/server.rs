//! Serving, until there is nothing left to serve.

use crate::{
    caller::Caller,
    connections::{Count, CountingListener},
    handlers::{App, router},
};
use orchestra_engine::Engine;
use std::{io, sync::Arc, time::Duration};
use tokio::{net::UnixListener, sync::watch};

#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// How long the daemon stays with no client connected and nothing under way.
    pub idle_exit: Duration,
}

/// Serves the API on `listener` until a client asks it to stop, `interrupted` is done, or it has been
/// idle for long enough. Everything is recorded when it returns; processes live on under their shims.
pub async fn serve(
    listener: UnixListener,
    engine: Engine,
    options: ServerOptions,
    interrupted: impl Future<Output = ()>,
) -> io::Result<()> {
    let engine = Arc::new(engine);
    let leave = Arc::new(watch::Sender::new(false));
    let (listener, connections) = CountingListener::new(listener);
    let app = App { engine: Arc::clone(&engine), leave: Arc::clone(&leave) };

    let mut leaving = leave.subscribe();
    let service = router(app).into_make_service_with_connect_info::<Caller>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        // The sender lives as long as the application.
        let _ = leaving.wait_for(|leaving| *leaving).await;
    });
    let watching = async {
        tokio::select! {
            () = idle(connections, &engine, options.idle_exit) => {
                tracing::info!("nothing left to do");
            }
            () = interrupted => tracing::info!("told to end"),
        }
        leave.send_replace(true);
        std::future::pending::<()>().await
    };
    let served = tokio::select! {
        served = server.into_future() => served,
        () = watching => Ok(()),
    };
    engine.close().await;
    served
}

/// Returns when no client was connected and nothing was under way for a whole `span`.
async fn idle(mut connections: watch::Receiver<Count>, engine: &Engine, span: Duration) {
    loop {
        // The sender lives in the listener, which outlives this future.
        let Ok(before) = connections.wait_for(|count| count.open == 0).await.map(|count| *count)
        else {
            return std::future::pending().await;
        };
        tokio::time::sleep(span).await;
        if *connections.borrow() == before && engine.is_idle().await {
            return;
        }
    }
}
