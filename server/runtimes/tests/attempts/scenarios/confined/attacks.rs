//! The attacks, each a few system calls of an agent, and what has to refuse it.

use rustix::{
    fs::{CWD, FileType, Mode, OFlags, Timestamps, UTIME_NOW, mknodat, open, utimensat},
    io::Errno,
    net::{AddressFamily, SocketAddrUnix, SocketType, bind, connect, socket},
    process::{
        Pid, PidfdFlags, PidfdGetfdFlags, Signal, kill_process, pidfd_getfd, pidfd_open,
        test_kill_process,
    },
    time::Timespec,
};
use std::{
    env,
    ffi::OsString,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// As an agent this program attacks, see [`attack`].
pub(crate) const ATTACK: &str = "__attack";

/// Who has to refuse an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusedBy {
    Landlock,
    /// Landlock, by the reach of signals and abstract sockets, which older kernels do not limit.
    Scope,
    /// An agent has no capabilities, and gains none.
    Privileges,
    /// Nobody: known, and said in docs/security.md.
    Nobody,
    /// It is the agent's own work.
    Allowed,
}

pub(super) struct Attack {
    pub(super) what: &'static str,
    pub(super) refused_by: RefusedBy,
    act: fn(&Surroundings) -> io::Result<()>,
}

/// What lies around the agent.
pub(super) struct Surroundings {
    pub(super) root: PathBuf,
    slot: PathBuf,
    /// A process outside, of the same user, with a secret in its environment.
    outsider: i32,
}

impl Surroundings {
    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

macro_rules! attacks {
    ($($refused_by:ident $what:literal |$s:ident| $act:expr;)+) => {
        pub(super) const ATTACKS: &[Attack] = &[$(Attack {
            what: $what,
            refused_by: RefusedBy::$refused_by,
            act: |$s| $act,
        },)+];
    };
}

attacks! {
    Allowed "write in its tree, its tmp and its out" |s|
        ["src", "tmp", "out"].iter().try_for_each(|part| fs::write(s.slot.join(part).join("mine"), "x"));
    Allowed "move a file from its tmp into its tree" |s| {
        fs::write(s.slot.join("tmp/moved"), "x")?;
        fs::rename(s.slot.join("tmp/moved"), s.slot.join("src/moved"))
    };
    Allowed "make a socket, a pipe and a link in its tree" |s| {
        let bound = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        bind(&bound, &SocketAddrUnix::new(s.slot.join("src/socket"))?)?;
        mknodat(CWD, s.slot.join("src/pipe"), FileType::Fifo, Mode::RUSR, 0)?;
        symlink("mine", s.slot.join("src/link"))
    };
    Allowed "write to /dev/null, and to shared memory" |_s| {
        fs::write("/dev/null", "x")?;
        let name = format!("/dev/shm/orchestra-test-{}", std::process::id());
        fs::write(&name, "x")?;
        fs::remove_file(name)
    };
    Allowed "read the user's files" |s| fs::read(s.at("user/file")).map(drop);
    Landlock "create a file by an absolute path" |s| fs::write(s.at("user/new"), "x");
    Landlock "overwrite a file" |s| OpenOptions::new().write(true).open(s.at("user/file"))?.write_all(b"x");
    Landlock "append to a file" |s| OpenOptions::new().append(true).open(s.at("user/file"))?.write_all(b"x");
    Landlock "overwrite through a symbolic link in its tree" |s| {
        symlink(s.at("user/file"), s.slot.join("src/out"))?;
        OpenOptions::new().write(true).open(s.slot.join("src/out"))?.write_all(b"x")
    };
    Landlock "overwrite by way of `..`" |s|
        OpenOptions::new().write(true).open(s.slot.join("src/../../user/file"))?.write_all(b"x");
    Landlock "overwrite through /proc/self/root" |s| {
        let path = Path::new("/proc/self/root").join(s.at("user/file").strip_prefix("/").unwrap());
        OpenOptions::new().write(true).open(path)?.write_all(b"x")
    };
    Landlock "overwrite through a hard link in its tree" |s| {
        fs::hard_link(s.at("user/file"), s.slot.join("src/hard"))?;
        OpenOptions::new().write(true).open(s.slot.join("src/hard"))?.write_all(b"x")
    };
    Landlock "empty a file that it has opened to read" |s| {
        open(s.at("user/file"), OFlags::RDONLY | OFlags::TRUNC, Mode::empty())?;
        Ok(())
    };
    Landlock "empty a file" |s| File::create(s.at("user/file")).map(drop);
    Landlock "delete a file" |s| fs::remove_file(s.at("user/file"));
    Landlock "make a folder" |s| fs::create_dir(s.at("user/folder"));
    Landlock "move a file out of its tree, over another" |s| {
        fs::write(s.slot.join("src/bomb"), "x")?;
        fs::rename(s.slot.join("src/bomb"), s.at("user/file"))
    };
    Landlock "move a file of the user into its tree" |s|
        fs::rename(s.at("user/file"), s.slot.join("src/stolen"));
    Landlock "move its own tree away" |s| fs::rename(s.slot.join("tmp"), s.slot.join("src/tmp"));
    Landlock "write in its slot, beside its folders" |s| fs::write(s.slot.join("new"), "x");
    Landlock "write into the user's .git" |s| fs::write(s.at("user/.git/config"), "[core]\n");
    Landlock "write a hook into the user's .git" |s| fs::write(s.at("user/.git/hooks/pre-commit"), "x");
    Landlock "write into another slot" |s| fs::write(s.at("other-slot/src/file"), "x");
    Landlock "forge its result" |s| fs::write(s.at("state/attempts/r1.2-1/result.json"), "{}");
    Landlock "forge the result of another" |s|
        fs::write(s.at("state/attempts/r1.1-1/result.json"), "{}");
    Landlock "change its claim" |s|
        OpenOptions::new().append(true).open(s.at("state/attempts/r1.2-1/claim"))?.write_all(b"x");
    Landlock "put a message into its inbox" |s|
        fs::write(s.at("state/attempts/r1.2-1/inbox/000009.json"), "{}");
    Landlock "grant itself trust" |s| fs::write(s.at("state/trust.json"), "{}");
    Landlock "write into the journal" |s|
        OpenOptions::new().write(true).open(s.at("state/orchestra.db"))?.write_all(b"x");
    Landlock "read another run's environment from its file" |s|
        fs::read(s.at("run/env/secret.json")).map(drop);
    Landlock "read it through a symbolic link" |s| {
        symlink(s.at("run/env/secret.json"), s.slot.join("src/peek"))?;
        fs::read(s.slot.join("src/peek")).map(drop)
    };
    Landlock "read it through a hard link" |s| {
        fs::hard_link(s.at("run/env/secret.json"), s.slot.join("src/peek-hard"))?;
        fs::read(s.slot.join("src/peek-hard")).map(drop)
    };
    Landlock "read another process's environment in /proc" |s|
        fs::read(format!("/proc/{}/environ", s.outsider)).map(drop);
    Landlock "write into another process's memory" |s|
        OpenOptions::new().write(true).open(format!("/proc/{}/mem", s.outsider)).map(drop);
    Landlock "read another process's memory" |s|
        File::open(format!("/proc/{}/mem", s.outsider)).map(drop);
    Landlock "take a descriptor from another process" |s| {
        let process = pidfd_open(pid(s.outsider)?, PidfdFlags::empty())?;
        pidfd_getfd(process, 0, PidfdGetfdFlags::empty()).map(drop).map_err(io::Error::from)
    };
    Scope "kill its shim" |_s| send(Signal::KILL, shim()?);
    Scope "stop its shim" |_s| send(Signal::STOP, shim()?);
    Scope "kill another process of the user" |s| send(Signal::KILL, pid(s.outsider)?);
    Scope "kill every process" |s| {
        // Asked of one only when there is no sandbox, or nothing would be left to tell.
        test_kill_process(pid(s.outsider)?).map_err(io::Error::from)
    };
    Scope "connect to an abstract socket of the user" |s| {
        let client = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        let name = format!("orchestra-test-{}", s.outsider);
        connect(&client, &SocketAddrUnix::new_abstract_name(name.as_bytes())?).map_err(io::Error::from)
    };
    Landlock "make a block device" |s| {
        mknodat(CWD, s.slot.join("src/disk"), FileType::BlockDevice, Mode::RUSR, 0x0700)
            .map_err(io::Error::from)
    };
    Landlock "make a character device" |s| {
        // Zero is the one device that anybody may make.
        mknodat(CWD, s.slot.join("src/tape"), FileType::CharacterDevice, Mode::RUSR, 0)
            .map_err(io::Error::from)
    };
    Landlock "gain privileges in a namespace of its own" |_s| command("unshare", &["-rm", "true"]);
    Privileges "mount" |s| command("mount", &["-t", "tmpfs", "none", s.slot.join("tmp").to_str().unwrap()]);
    Privileges "keep or gain a capability" |_s| {
        let status = fs::read_to_string("/proc/self/status")?;
        let has_some = |set: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(set)).unwrap_or("0");
            value.trim().bytes().any(|digit| digit != b'0')
        };
        let held = ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"].iter().any(|set| has_some(set));
        if held { Ok(()) } else { Err(Errno::PERM.into()) }
    };
    Privileges "become root by a setuid program" |s| {
        let identity = Command::new(s.at("setuid-id")).arg("-u").output()?;
        if identity.stdout == b"0\n" { Ok(()) } else { Err(Errno::PERM.into()) }
    };
    Landlock "widen its scope by a second sandbox" |s| {
        let write = s.at("user");
        let script = format!("echo x > '{}'", s.at("user/file").display());
        let arguments = ["__sandbox", "--write", write.to_str().unwrap(), "--", "/bin/sh", "-c", &script];
        command("/proc/self/exe", &arguments)
    };
    Nobody "change the permissions of a file" |s|
        fs::set_permissions(s.at("user/chmod"), Permissions::from_mode(0o666));
    Nobody "change the times of a file" |s| {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        utimensat(CWD, s.at("user/chmod"), &times, rustix::fs::AtFlags::empty()).map_err(io::Error::from)
    };
    Nobody "connect to a socket of the user that has a name" |s|
        std::os::unix::net::UnixStream::connect(s.at("named.sock")).map(drop);
}

fn pid(number: i32) -> Result<Pid, Errno> {
    Pid::from_raw(number).ok_or(Errno::SRCH)
}

fn shim() -> Result<Pid, Errno> {
    rustix::process::getppid().ok_or(Errno::SRCH)
}

/// Sends it only where that is refused: the shim and the test have to live.
fn send(signal: Signal, victim: Pid) -> io::Result<()> {
    match test_kill_process(victim) {
        Err(Errno::PERM) => kill_process(victim, signal).map_err(io::Error::from),
        tested => tested.map_err(io::Error::from),
    }
}

fn command(program: &str, arguments: &[&str]) -> io::Result<()> {
    let output = Command::new(program).args(arguments).output()?;
    if output.status.success() { Ok(()) } else { Err(Errno::PERM.into()) }
}

/// The agent: tries everything, and writes down what became of it, a line each.
pub(crate) fn attack(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut next = || arguments.next().unwrap();
    let root = PathBuf::from(next());
    let outsider = next().to_str().unwrap().parse().unwrap();
    let slot = env::current_dir().unwrap().parent().unwrap().to_owned();
    let surroundings = Surroundings { root, slot, outsider };
    for attack in ATTACKS {
        let outcome = match (attack.act)(&surroundings) {
            Ok(()) => "done".to_owned(),
            Err(error) => match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::ACCESS) => "EACCES".to_owned(),
                Some(Errno::PERM) => "EPERM".to_owned(),
                Some(Errno::XDEV) => "EXDEV".to_owned(),
                _ => error.to_string(),
            },
        };
        println!("{}\t{outcome}", attack.what);
    }
    ExitCode::SUCCESS
}
