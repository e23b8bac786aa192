//! The daemon's process: becoming one, being the only one, and serving.

use crate::tracing_setup;
use orchestra_api::ServerOptions;
use orchestra_engine::{Engine, EngineOptions};
use orchestra_protocol::{build::Build, folders, launch};
use orchestra_runtimes::catalog;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{ExitCode, Stdio},
};
use tokio::{
    net::UnixListener,
    signal::unix::{SignalKind, signal},
};

/// The process between client and daemon: leaves the client's session, starts the daemon and ends,
/// so that the daemon is no descendant of the client.
pub(crate) fn detach() -> ExitCode {
    let started = rustix::process::setsid().map_err(io::Error::from).and_then(|_| {
        launch::this_program()
            .args(launch::SERVE)
            .stdin(Stdio::null())
            .stdout(Stdio::inherit())
            .stderr(Stdio::null())
            .spawn()
    });
    match started {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// The daemon itself.
pub(crate) fn serve() -> ExitCode {
    match try_serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the daemon ends");
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// One line to the client that waits for us; it may have gone.
fn say(line: &str) {
    let mut stdout = io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

fn try_serve() -> Result<(), Box<dyn std::error::Error>> {
    let folders = folders::find()?;
    let log = folders.daemon_log();
    tracing_setup::for_daemon(&log).map_err(naming(&log))?;
    let lock_file = folders.daemon_lock();
    let Some(_lock) = lock(&lock_file).map_err(naming(&lock_file))? else {
        say(launch::TAKEN);
        return Ok(());
    };
    let build = Build::current()?;
    let (config, _) = catalog::load_user_config(&folders.config, &catalog::process_environment());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(std::time::Duration::from_secs(2))
        // Clones, native actions and small files; a thousand starts at once take turns.
        .max_blocking_threads(16)
        .build()?;
    runtime.block_on(async {
        let socket = folders.socket();
        // Nobody listens there: we hold the lock.
        if let Err(error) = fs::remove_file(&socket)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(naming(&socket)(error).into());
        }
        let listener = UnixListener::bind(&socket).map_err(naming(&socket))?;
        fs::set_permissions(&socket, Permissions::from_mode(0o600))?;
        tracing::info!(%build, socket = %socket.display(), "the daemon listens");
        say(launch::READY);
        close_stdout()?;
        let engine = Engine::new(EngineOptions {
            folders: folders.clone(),
            build,
            program: std::env::current_exe()?,
            daemon_command: launch::DETACH.map(str::to_owned).to_vec(),
        });
        engine.resume_all().await;
        let options = ServerOptions { idle_exit: config.daemon.idle_exit.into() };
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        let told_to_end = async move {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
        };
        orchestra_api::serve(listener, engine, options, told_to_end).await?;
        fs::remove_file(&socket)?;
        Ok(())
    })
}

/// The file is what the user can do something about.
fn naming(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    let path = path.display().to_string();
    move |error| io::Error::new(error.kind(), format!("{path}: {error}"))
}

/// `None` when another daemon holds it. Held until the process ends.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())?;
            Ok(Some(file))
        }
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The client reads until the end of our standard output.
fn close_stdout() -> io::Result<()> {
    let null = OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(())
}
