//! Landlock: rules that the kernel checks at every access, set by the process on itself.

use super::scope::{Scope, resolved};
use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible as _, LandlockStatus,
    PathBeneath, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetError,
    RulesetStatus, Scope as Reach, make_bitflags,
};
use rustix::{
    fs::{Mode, OFlags, open},
    io::Errno,
};
use std::{
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// The oldest interface that is worth its name: those before it let any file be truncated.
const OLDEST: ABI = ABI::V3;
/// The newest interface whose effects are tested here.
const NEWEST: ABI = ABI::V7;

/// Devices without which programs do not work. Shared memory is among them: semaphores of Python and of
/// browsers lie there. No disk is, nor anything else that keeps what is written to it.
const DEVICES: [&str; 9] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/shm",
];

/// Why the process is not held.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// Nothing has changed yet.
    #[error("{0}")]
    Unsupported(String),
    #[error("{path}: {error}", path = path.display())]
    Path { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Ruleset(#[from] RulesetError),
    #[error("the kernel took the rules and does not enforce them")]
    NotEnforced,
}

/// Holds this thread and all that it starts. Answers the version of the kernel's interface, as far as it
/// is made use of.
pub(super) fn restrict(scope: &Scope) -> Result<u32, Failed> {
    let read = if scope.hidden.is_empty() { BitFlags::EMPTY } else { AccessFs::ReadFile.into() };
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_write(OLDEST) | read)
        .map_err(|_| Failed::Unsupported(unsupported()))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_write(NEWEST))?
        .scope(Reach::from_all(NEWEST))?
        .create()?;
    let mut rules = Rules { ruleset, read };
    for path in &scope.write {
        rules.may_write(path)?;
    }
    for path in DEVICES.map(Path::new) {
        rules.may_use(path)?;
    }
    if !read.is_empty() {
        rules.may_read_all_but(&scope.hidden)?;
    }
    let status = rules.ruleset.restrict_self()?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => Err(Failed::NotEnforced),
        (_, LandlockStatus::Available { effective_abi, .. }) => {
            Ok(effective_abi.min(NEWEST) as u32)
        }
        _ => Err(Failed::NotEnforced),
    }
}

fn unsupported() -> String {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    format!("the kernel {release} has no landlock, or one older than v{}", OLDEST as u32)
}

struct Rules {
    ruleset: RulesetCreated,
    /// What reading takes, if that is limited at all.
    read: BitFlags<AccessFs>,
}

impl Rules {
    /// Everything but devices, also new ones. All folders get the same, so that files can be moved from one
    /// to another.
    fn may_write(&mut self, path: &Path) -> Result<(), Failed> {
        let all = AccessFs::from_write(NEWEST);
        let devices = make_bitflags!(AccessFs::{ MakeChar | MakeBlock | IoctlDev });
        let Some(file) = open_itself(path)? else { return Ok(()) };
        self.allow(path, file, (all & !devices) | self.read)
    }

    fn may_use(&mut self, device: &Path) -> Result<(), Failed> {
        let Some(file) = open_itself(device)? else { return Ok(()) };
        let access = match device.ends_with("shm") {
            true => make_bitflags!(AccessFs::{ WriteFile | Truncate | MakeReg | RemoveFile }),
            false => make_bitflags!(AccessFs::{ WriteFile | Truncate | IoctlDev }),
        };
        self.allow(device, file, access)
    }

    /// There is no rule that takes something away, so everything beside the way to a hidden folder is
    /// granted by name. What appears beside it later cannot be read.
    fn may_read_all_but(&mut self, hidden: &[PathBuf]) -> Result<(), Failed> {
        let hidden: Vec<PathBuf> = hidden.iter().map(|path| resolved(path)).collect();
        let mut folders = vec![PathBuf::from("/")];
        while let Some(folder) = folders.pop() {
            // A folder that cannot be listed has no names to grant.
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                if hidden.contains(&path) {
                    continue;
                }
                if hidden.iter().any(|hidden| hidden.starts_with(&path)) {
                    folders.push(path);
                    continue;
                }
                // What a link leads to is granted where it lies, or hidden.
                if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                    continue;
                }
                // It may have gone meanwhile, or be somebody else's mount: then it cannot be read.
                if let Ok(Some(file)) = open_itself(&path) {
                    self.allow(&path, file, self.read)?;
                }
            }
        }
        Ok(())
    }

    fn allow(
        &mut self,
        path: &Path,
        file: OwnedFd,
        access: BitFlags<AccessFs>,
    ) -> Result<(), Failed> {
        let is_folder = fs::metadata(path).is_ok_and(|metadata| metadata.is_dir());
        let access = if is_folder { access } else { access & AccessFs::from_file(NEWEST) };
        (&mut self.ruleset).add_rule(PathBeneath::new(file, access))?;
        Ok(())
    }
}

/// `None` when there is nothing. Never what a symbolic link leads to.
fn open_itself(path: &Path) -> Result<Option<OwnedFd>, Failed> {
    let failed = |error: io::Error| Failed::Path { path: path.to_owned(), error };
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match open(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(failed(error.into())),
    };
    let is_link = rustix::fs::fstat(&file)
        .map(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink())
        .map_err(|error| failed(error.into()))?;
    if is_link {
        let message = "it is a symbolic link, and what it leads to was not asked for";
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, message)));
    }
    Ok(Some(file))
}
