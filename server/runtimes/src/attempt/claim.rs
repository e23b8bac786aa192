//! `claim`: who runs the attempt. Whoever links this name first, and nobody else, ever.
//!
//! The file is locked before it gets its name, so it is never visible unlocked while its shim lives; the
//! kernel lets go of the lock when the shim ends, however it ends. Nothing here is synced: a claim means
//! something within one boot only.

use super::format;
use crate::process::Identity;
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// What a claim says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub holder: Holder,
    /// The agent's process, from before it runs any code of its own.
    pub agent: Option<Identity>,
}

/// Who took a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    Shim(Identity),
    /// The daemon, so that no shim ever does.
    Tombstone,
}

/// A claim is a list of lines, because a lock belongs to a file and so nothing may replace it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line {
    Shim { process: Identity },
    Tombstone,
    Agent { process: Identity },
}

fn encode(line: &Line) -> io::Result<Vec<u8>> {
    let mut text = format::encode(line)?;
    text.push(b'\n');
    Ok(text)
}

impl Claim {
    /// `None` when nobody has taken it, and when a crash of the machine has left it unreadable.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        let Some(text) = format::read_if_there(path)? else { return Ok(None) };
        let mut claim: Option<Self> = None;
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            // What lacks its end is still being written.
            let Some(line) = line.strip_suffix(b"\n") else { break };
            match format::decode(path, line)? {
                Line::Shim { process } => {
                    claim = Some(Self { holder: Holder::Shim(process), agent: None });
                }
                Line::Tombstone => claim = Some(Self { holder: Holder::Tombstone, agent: None }),
                Line::Agent { process } => {
                    if let Some(claim) = &mut claim {
                        claim.agent = Some(process);
                    }
                }
            }
        }
        Ok(claim)
    }
}

/// The daemon takes the claim itself, so that no shim ever runs. `false`: somebody was faster.
pub(super) fn bury(path: &Path) -> io::Result<bool> {
    format::publish_new(path, &encode(&Line::Tombstone)?)
}

/// Whether the shim that took the claim lives. `None`: nobody has taken it.
pub(super) fn is_held(path: &Path) -> io::Result<Option<bool>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format::at(path)(error)),
    };
    // Shared, so that two who look at the same time do not take each other for the shim.
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(Some(false)),
        Err(Errno::WOULDBLOCK) => Ok(Some(true)),
        Err(error) => Err(format::at(path)(error.into())),
    }
}

/// A claim of this process, until it ends.
#[derive(Debug)]
pub(crate) struct HeldClaim {
    /// Close-on-exec, and children are always forked *and* executed: a bare fork would keep the lock.
    file: File,
}

impl HeldClaim {
    /// `None`: the name is taken, and this process must not run anything.
    pub(super) fn take(path: &Path, shim: Identity) -> io::Result<Option<Self>> {
        let unfinished = format::unfinished(path);
        let take = || -> io::Result<Option<Self>> {
            let mut file =
                OpenOptions::new().append(true).create_new(true).mode(0o600).open(&unfinished)?;
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            file.write_all(&encode(&Line::Shim { process: shim })?)?;
            Ok(format::link_new(&unfinished, path)?.then_some(Self { file }))
        };
        let taken = take().map_err(format::at(path));
        // It may not even have been created.
        let _ = fs::remove_file(&unfinished);
        taken
    }

    /// Names the agent's process, which must not have run any code of its own yet.
    pub(crate) fn set_agent(&mut self, agent: Identity) -> io::Result<()> {
        self.file.write_all(&encode(&Line::Agent { process: agent })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Identity {
        Identity::of(std::process::id()).unwrap()
    }

    #[test]
    fn a_claim_is_taken_once_and_held_until_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claim");
        assert_eq!(is_held(&path).unwrap(), None);
        let mut held = HeldClaim::take(&path, me()).unwrap().unwrap();
        assert_eq!(is_held(&path).unwrap(), Some(true));
        assert!(HeldClaim::take(&path, me()).unwrap().is_none());
        assert!(!bury(&path).unwrap());
        held.set_agent(me()).unwrap();
        let claim = Claim { holder: Holder::Shim(me()), agent: Some(me()) };
        assert_eq!(Claim::read(&path).unwrap(), Some(claim));
        drop(held);
        assert_eq!(is_held(&path).unwrap(), Some(false));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_tombstone_keeps_every_shim_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claim");
        assert!(bury(&path).unwrap());
        assert!(HeldClaim::take(&path, me()).unwrap().is_none());
        let claim = Claim { holder: Holder::Tombstone, agent: None };
        assert_eq!(Claim::read(&path).unwrap(), Some(claim));
        assert_eq!(is_held(&path).unwrap(), Some(false));
    }

    #[test]
    fn a_line_that_is_being_written_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claim");
        let mut text = encode(&Line::Shim { process: me() }).unwrap();
        let whole = text.len();
        text.extend(encode(&Line::Agent { process: me() }).unwrap());
        for end in [whole, whole + 1, text.len() - 1] {
            fs::write(&path, &text[..end]).unwrap();
            assert_eq!(Claim::read(&path).unwrap().unwrap().agent, None);
        }
        fs::write(&path, &text[..whole - 1]).unwrap();
        assert_eq!(Claim::read(&path).unwrap(), None);
    }
}
