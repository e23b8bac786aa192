//! The paths of the API.

/// `GET`: [`DaemonInfo`](crate::command::DaemonInfo).
pub const DAEMON: &str = "/v1/daemon";
/// `POST` a [`CommandRequest`](crate::command::CommandRequest): an
/// [`Answer`](crate::command::Answer), or an [`ErrorBody`](crate::error::ErrorBody) with a status
/// of 400 or above.
pub const COMMANDS: &str = "/v1/commands";
/// `POST` an [`EventsRequest`](crate::command::EventsRequest): one
/// [`StreamItem`](crate::stream::StreamItem) per line, until the client hangs up.
pub const EVENTS: &str = "/v1/events";
/// `POST` a [`Poke`](crate::command::Poke): an attempt has news for the daemon.
pub const POKE: &str = "/v1/poke";
/// `POST` a [`WorkspaceRequest`](crate::command::WorkspaceRequest): a
/// [`Rebuilt`](crate::command::Rebuilt).
pub const REBUILD: &str = "/v1/rebuild";
/// `POST` a [`WorkspaceRequest`](crate::command::WorkspaceRequest): answers when the files below
/// `.orchestra/` say what was recorded when it was asked, as far as the workspace can be written.
pub const PROJECTED: &str = "/v1/projected";
/// `POST`: the daemon records what it has, and leaves. Processes under a shim live on.
pub const STOP: &str = "/v1/stop";
