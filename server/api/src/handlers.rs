//! One handler per path of the API.

use crate::{caller::Caller, events};
use axum::{
    Json, Router,
    body::Body,
    extract::{ConnectInfo, State, rejection::JsonRejection},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use orchestra_engine::{Engine, OpenError, Workspace};
use orchestra_protocol::{
    command::{Answer, CommandRequest, DaemonInfo, EventsRequest, Poke, Rebuilt, WorkspaceRequest},
    error::{ErrorBody, ErrorKind},
    routes,
};
use std::{path::Path, sync::Arc};
use tokio::sync::watch;

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Arc<Engine>,
    /// Turns true when the daemon is to leave.
    pub(crate) leave: Arc<watch::Sender<bool>>,
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route(routes::DAEMON, get(daemon))
        .route(routes::COMMANDS, post(command))
        .route(routes::EVENTS, post(events))
        .route(routes::POKE, post(poke))
        .route(routes::REBUILD, post(rebuild))
        .route(routes::PROJECTED, post(projected))
        .route(routes::STOP, post(stop))
        // Plans and prompts may be large; who may send them is the user alone.
        .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
        .with_state(app)
}

/// An error as it leaves.
struct Failure(ErrorBody);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        let hint = "client and daemon may be of different builds; see `orchestra daemon status`";
        Self(ErrorBody::new(ErrorKind::Invalid, rejection.body_text(), hint))
    }
}

impl From<ErrorBody> for Failure {
    fn from(error: ErrorBody) -> Self {
        Self(error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self(ErrorBody::new(ErrorKind::NotRecorded, error.to_string(), error.hint()))
    }
}

async fn daemon(State(app): State<App>) -> Json<DaemonInfo> {
    Json(app.engine.info().await)
}

async fn command(
    State(app): State<App>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    request: Result<Json<CommandRequest>, JsonRejection>,
) -> Result<Json<Answer>, Failure> {
    let Json(request) = request?;
    caller.must_be_the_user(&app)?;
    let workspace = open(&app, &request.root).await?;
    Ok(Json(workspace.command(request).await?))
}

async fn events(
    State(app): State<App>,
    request: Result<Json<EventsRequest>, JsonRejection>,
) -> Result<Response, Failure> {
    let Json(request) = request?;
    let workspace = open(&app, &request.root).await?;
    let lines = events::lines(workspace, &request, app.leave.subscribe());
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

/// Opening the workspace finds every attempt again; one that is known already has news.
async fn poke(
    State(app): State<App>,
    request: Result<Json<Poke>, JsonRejection>,
) -> Result<Json<()>, Failure> {
    let Json(poke) = request?;
    tracing::debug!(workspace = %poke.workspace, attempt = %poke.attempt, "poked by a shim");
    if let Some(workspace) = app.engine.workspace_by_id(&poke.workspace).await? {
        workspace.poke(poke.attempt);
    }
    Ok(Json(()))
}

async fn rebuild(
    State(app): State<App>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    request: Result<Json<WorkspaceRequest>, JsonRejection>,
) -> Result<Json<Rebuilt>, Failure> {
    let Json(request) = request?;
    caller.must_be_the_user(&app)?;
    let workspace = open(&app, &request.root).await?;
    Ok(Json(workspace.rebuild().await?))
}

async fn projected(
    State(app): State<App>,
    request: Result<Json<WorkspaceRequest>, JsonRejection>,
) -> Result<Json<()>, Failure> {
    let Json(request) = request?;
    open(&app, &request.root).await?.projected().await?;
    Ok(Json(()))
}

async fn stop(
    State(app): State<App>,
    ConnectInfo(caller): ConnectInfo<Caller>,
) -> Result<Json<()>, Failure> {
    caller.must_be_the_user(&app)?;
    app.leave.send_replace(true);
    Ok(Json(()))
}

async fn open(app: &App, root: &Path) -> Result<Workspace, Failure> {
    if !root.is_absolute() {
        return Err(Failure(ErrorBody::new(
            ErrorKind::Invalid,
            format!("the workspace root {} is not absolute", root.display()),
            "send the canonical path of the workspace",
        )));
    }
    Ok(app.engine.workspace(root).await?)
}
