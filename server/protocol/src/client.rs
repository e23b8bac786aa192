//! A connection to the daemon.

use crate::{
    build::Build,
    command::{Answer, CommandRequest, DaemonInfo, EventsRequest, Rebuilt, WorkspaceRequest},
    error::{ClientError, ErrorBody},
    launch, routes,
    stream::StreamItem,
};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use orchestra_core::folders::Folders;
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;
use tokio::net::UnixStream;

/// An open connection. Requests go one after the other; for a stream beside them, open another.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects to the daemon that runs, whatever build it is.
    pub async fn connect(folders: &Folders) -> Result<Self, ClientError> {
        let socket = folders.socket();
        let stream = UnixStream::connect(&socket)
            .await
            .map_err(|_| ClientError::NoDaemon(socket.clone()))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // The connection ends when the sender is dropped; what breaks it shows at the next request.
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Connects to a daemon that is at least as new as this build: starts one if there is none, and
    /// has an older one hand over.
    pub async fn connect_or_start(folders: &Folders, build: &Build) -> Result<Self, ClientError> {
        if let Ok(mut client) = Self::connect(folders).await
            && let Ok(info) = client.daemon().await
        {
            if !build.is_newer_than(&info.build) {
                return Ok(client);
            }
            match client.stop(folders).await {
                // Gone already: somebody else has asked it, or it died.
                Err(error) if !error.may_be_asked_again() => return Err(error),
                _ => {}
            }
        }
        launch::start(folders).await?;
        Self::connect(folders).await
    }

    pub async fn daemon(&mut self) -> Result<DaemonInfo, ClientError> {
        let response = self.send(Method::GET, routes::DAEMON, &()).await?;
        read(response).await
    }

    pub async fn command(&mut self, request: &CommandRequest) -> Result<Answer, ClientError> {
        let response = self.send(Method::POST, routes::COMMANDS, request).await?;
        read(response).await
    }

    pub async fn rebuild(&mut self, root: &Path) -> Result<Rebuilt, ClientError> {
        let request = WorkspaceRequest { root: root.to_owned() };
        let response = self.send(Method::POST, routes::REBUILD, &request).await?;
        read(response).await
    }

    /// Comes back when the files below `.orchestra/` say what is recorded now.
    pub async fn projected(&mut self, root: &Path) -> Result<(), ClientError> {
        let request = WorkspaceRequest { root: root.to_owned() };
        let response = self.send(Method::POST, routes::PROJECTED, &request).await?;
        read(response).await
    }

    /// Has the daemon record what it has and leave; comes back when its process has ended.
    pub async fn stop(&mut self, folders: &Folders) -> Result<(), ClientError> {
        let pid = self.daemon().await?.pid;
        let process = launch::watch(pid);
        let asked = match self.send(Method::POST, routes::STOP, &()).await {
            Ok(response) => read::<()>(response).await,
            Err(error) => Err(error),
        };
        match asked {
            Err(error) if !error.may_be_asked_again() => Err(error),
            // Without an answer it is on its way out as well.
            _ => {
                launch::wait_for_end(folders, pid).await?;
                launch::has_ended(process).await
            }
        }
    }

    pub async fn events(mut self, request: &EventsRequest) -> Result<Events, ClientError> {
        let response = self.send(Method::POST, routes::EVENTS, request).await?;
        if !response.status().is_success() {
            return Err(read::<()>(response).await.err().unwrap_or_else(|| {
                ClientError::Malformed("an error status without an error".to_owned())
            }));
        }
        Ok(Events { body: response.into_body(), buffer: BytesMut::new(), _sender: self.sender })
    }

    async fn send<T: Serialize>(
        &mut self,
        method: Method,
        path: &str,
        body: &T,
    ) -> Result<Response<Incoming>, ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| broken(&error))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "orchestra")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| broken(&error))?;
        self.sender.ready().await.map_err(broken)?;
        self.sender.send_request(request).await.map_err(broken)
    }
}

fn broken(error: impl std::fmt::Display) -> ClientError {
    ClientError::Connection(error.to_string())
}

async fn read<T: DeserializeOwned>(response: Response<Incoming>) -> Result<T, ClientError> {
    let success = response.status().is_success();
    let body = response.into_body().collect().await.map_err(broken)?.to_bytes();
    let malformed = |error: serde_json::Error| ClientError::Malformed(error.to_string());
    if success {
        serde_json::from_slice(&body).map_err(malformed)
    } else {
        Err(ClientError::Daemon(serde_json::from_slice::<ErrorBody>(&body).map_err(malformed)?))
    }
}

/// The event stream of one workspace.
pub struct Events {
    body: Incoming,
    buffer: BytesMut,
    /// Dropping it would close the connection.
    _sender: SendRequest<Full<Bytes>>,
}

impl Events {
    /// The next item; `None` when the daemon has closed the stream.
    pub async fn next(&mut self) -> Result<Option<StreamItem>, ClientError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                return serde_json::from_slice(&line)
                    .map(Some)
                    .map_err(|error| ClientError::Malformed(error.to_string()));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame.map_err(broken)?.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}

/// Whether a daemon listens there right now, without asking it anything.
pub fn is_listening(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}
