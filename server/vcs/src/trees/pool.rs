//! The pool of a workspace's slots: who gets which one, and what becomes of it afterwards.

use super::{
    Tree, TreeRequest,
    claim::Claim,
    prepare::{Plan, make_room_anew, prepare, set_prepared, tree, write_contents},
    records::{self, Contents, Lease},
    remove::{absent_is_fine, delete},
    slots::{Slot, is_name},
    survey::Survey,
    usage,
};
use crate::{GitError, bare::check_id, state};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

/// The slots of one workspace. Its clones are the same pool; one process at a time may have it open.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    root: PathBuf,
    /// Names of the slots that some thread is working on. Leases are written, and slots chosen,
    /// under this lock; files are written without.
    busy: Mutex<BTreeSet<String>>,
    /// Some slot is not busy any more.
    idle: Condvar,
}

/// A slot that this thread alone works on.
pub(super) struct Hold<'a> {
    pool: &'a Pool,
    pub(super) slot: Slot,
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.pool.lock().remove(&self.slot.name);
        self.pool.0.idle.notify_all();
    }
}

impl Pool {
    /// The pool whose slots are in `folder`, for the workspace at `root` (canonical). Nothing is
    /// looked at or written yet.
    pub fn open(folder: PathBuf, root: PathBuf) -> Self {
        let (busy, idle) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { folder, root, busy, idle }))
    }

    /// Gives a tree to a holder: a free slot brought to the commit, or a new one. Asked again for the
    /// same, it answers the same tree as it is.
    ///
    /// The tree has refs, index and settings of its own, no remotes, no hooks, and reads the objects
    /// of the user's repository through `objects/info/alternates`. Its branches and tags are those of
    /// the user; it is on the user's branch, which stands at the commit there. Files that an
    /// external filter would make (git-lfs) are left as they are committed.
    ///
    /// Blocks for as long as it takes to write the files.
    pub fn acquire(&self, request: &TreeRequest<'_>) -> Result<Tree, GitError> {
        let request = &check(request)?;
        state::require_version()?;
        if let Some(tree) = self.again(request)? {
            return Ok(tree);
        }
        let plan = Plan::new(&self.0.root, request)?;
        let mut may_reuse = true;
        loop {
            let (hold, mut lease, is_new) = match self.claim(request, may_reuse)? {
                Claim::Joined(tree) => return Ok(tree),
                Claim::Slot { hold, lease, is_new } => (hold, lease, is_new),
            };
            let slot = &hold.slot;
            fail::fail_point!("trees::acquire::leased", |_| std::process::abort());
            let prepared = prepare(slot, &lease, &plan, &self.0.root).and_then(|given| {
                if is_new {
                    self.fits(request)?;
                }
                Ok(given)
            });
            match prepared {
                Ok(given) => {
                    lease.given = Some(given);
                    let file = slot.lease(&lease.holder, lease.shared);
                    records::write(&file, &lease).map_err(GitError::io("failed to write", file))?;
                    fail::fail_point!("trees::acquire::whole", |_| std::process::abort());
                    let known = "a lease that was just completed";
                    return tree(slot, &lease).ok_or_else(|| {
                        GitError::io("failed to read", slot.folder())(io::Error::other(known))
                    });
                }
                Err(error) => {
                    // The error to report is the one that stopped us.
                    let _ = self.throw_away(slot);
                    if is_new {
                        return Err(error);
                    }
                    // One slot was spoiled, perhaps; that is no reason to lose the others.
                    may_reuse = false;
                }
            }
        }
    }

    /// The tree that a holder was given, if it was whole: after a restart, and as its holder left it.
    pub fn find(&self, holder: &str) -> io::Result<Option<Tree>> {
        let survey = Survey::of(self.folder())?;
        let Some((slot, lease)) = survey.of_holder(holder) else { return Ok(None) };
        Ok(tree(&slot, &lease).filter(|tree| tree.src.is_dir()))
    }

    /// Records that a tree is ready for builds, under a key that the caller makes of what it did. The
    /// record is where no holder writes.
    pub fn set_prepared(&self, tree: &Tree, key: &str) -> io::Result<()> {
        let name = tree.slot.file_name().unwrap_or_default().to_string_lossy();
        set_prepared(&Slot::new(&self.0.folder, name), key)
    }

    /// Gives its holder an empty `tmp` and a new `out`, as when the tree was given out: what ran in the
    /// tree before may have left links there, and through them whoever fills the two would write elsewhere.
    /// Nobody works in the tree meanwhile.
    pub fn empty_room(&self, tree: &Tree) -> Result<(), GitError> {
        make_room_anew(tree.out.parent().unwrap_or(&tree.slot))
    }

    /// Takes a tree back; one that nobody was given is no error. What is in it must have been
    /// collected. The slot is free for the next holder, unless it was broken: then it is deleted.
    pub fn release(&self, holder: &str) -> Result<(), GitError> {
        let Some((hold, lease)) = self.hold_of(holder).map_err(self.unreadable())? else {
            return Ok(());
        };
        let slot = &hold.slot;
        let failed = || GitError::io("failed to release", slot.folder());
        if lease.shared && lease.given.is_some() {
            let room = slot.room(holder, true);
            absent_is_fine(delete(&room)).map_err(failed())?;
            fail::fail_point!("trees::release::emptied", |_| std::process::abort());
            self.touch(slot, None)?;
            return fs::remove_file(slot.lease(holder, true)).map_err(failed());
        }
        match lease.given.is_some().then(|| self.emptied(slot)) {
            Some(Ok(bytes)) => {
                self.touch(slot, Some(bytes))?;
                fail::fail_point!("trees::release::recorded", |_| std::process::abort());
                fs::remove_file(slot.lease(holder, lease.shared)).map_err(failed())
            }
            // Half made, or not as it was made.
            None | Some(Err(_)) => self.throw_away(slot).map_err(failed()),
        }
    }

    /// Takes a tree back and deletes its slot, unless others hold it, too. One that nobody was given
    /// is no error.
    pub fn discard(&self, holder: &str) -> io::Result<()> {
        let Some((hold, lease)) = self.hold_of(holder)? else { return Ok(()) };
        self.drop_tree(&hold.slot, &lease)
    }

    /// Who holds which slot, by their names; sorted.
    pub fn holders(&self) -> io::Result<Vec<(String, String)>> {
        let leases = Survey::of(self.folder())?.leases.into_iter();
        let mut held: Vec<(String, String)> =
            leases.filter_map(|held| Some((held.slot.name, held.lease?.holder))).collect();
        held.sort();
        Ok(held)
    }

    /// The blocks that all slots take, in bytes; of a slot in somebody's hands, those of its last
    /// release.
    pub fn disk_usage(&self) -> io::Result<u64> {
        Ok(Survey::of(self.folder())?.bytes())
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0.folder
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Only names are kept under this lock, so it is whole even after a panic.
        self.0.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until some slot is not busy any more.
    pub(super) fn wait<'a>(
        &self,
        busy: MutexGuard<'a, BTreeSet<String>>,
    ) -> MutexGuard<'a, BTreeSet<String>> {
        self.0.idle.wait(busy).unwrap_or_else(PoisonError::into_inner)
    }

    /// For a slot whose name is among the busy ones.
    pub(super) fn hold(&self, slot: Slot) -> Hold<'_> {
        Hold { pool: self, slot }
    }

    pub(super) fn unreadable(&self) -> impl FnOnce(io::Error) -> GitError {
        GitError::io("failed to read", &self.0.folder)
    }

    /// Renames a slot away, with what the pool knows of it; the lease goes last. Answers what is to
    /// be deleted.
    pub(super) fn set_aside(&self, slot: &Slot) -> io::Result<PathBuf> {
        let doomed = slot.doomed();
        absent_is_fine(fs::rename(slot.folder(), &doomed))?;
        fail::fail_point!("trees::discard::renamed", |_| std::process::abort());
        absent_is_fine(fs::remove_file(slot.contents()))?;
        absent_is_fine(fs::remove_file(slot.index()))?;
        for held in Survey::of(self.folder())?.leases {
            if held.slot == *slot {
                absent_is_fine(fs::remove_file(held.file))?;
            }
        }
        fail::fail_point!("trees::discard::forgotten", |_| std::process::abort());
        Ok(doomed)
    }

    /// Deletes a slot that this thread works on, or nobody.
    fn throw_away(&self, slot: &Slot) -> io::Result<()> {
        absent_is_fine(delete(&self.set_aside(slot)?))
    }

    /// What a holder was given already.
    fn again(&self, request: &TreeRequest<'_>) -> Result<Option<Tree>, GitError> {
        let Some((hold, lease)) = self.hold_of(request.holder).map_err(self.unreadable())? else {
            return Ok(None);
        };
        let found = tree(&hold.slot, &lease).filter(|tree| tree.src.is_dir());
        let same = lease.commit == request.commit
            && lease.purpose == request.purpose
            && lease.shared == request.is_shared();
        match found {
            Some(tree) if same => Ok(Some(tree)),
            Some(tree) => {
                let holder = request.holder.to_owned();
                Err(GitError::HoldsTree { holder, slot: tree.slot })
            }
            None => {
                let failed = GitError::io("failed to remove", hold.slot.folder());
                self.drop_tree(&hold.slot, &lease).map_err(failed)?;
                Ok(None)
            }
        }
    }

    /// Deletes the slot of a lease; of one that others hold, too, only what is this holder's own.
    fn drop_tree(&self, slot: &Slot, lease: &Lease) -> io::Result<()> {
        if Survey::of(self.folder())?.holders(slot) < 2 {
            return self.throw_away(slot);
        }
        absent_is_fine(delete(&slot.room(&lease.holder, lease.shared)))?;
        fs::remove_file(slot.lease(&lease.holder, lease.shared))
    }

    /// The slot that a holder has, for this thread alone; waits for others that work on it.
    fn hold_of(&self, holder: &str) -> io::Result<Option<(Hold<'_>, Lease)>> {
        let mut busy = self.lock();
        loop {
            let survey = Survey::of(self.folder())?;
            let Some((slot, lease)) = survey.of_holder(holder) else { return Ok(None) };
            if busy.insert(slot.name.clone()) {
                drop(busy);
                return Ok(Some((self.hold(slot), lease)));
            }
            busy = self.wait(busy);
        }
    }

    /// Empties what a holder had for itself, and measures the rest. An error is a slot that is not as
    /// the pool made it.
    fn emptied(&self, slot: &Slot) -> io::Result<u64> {
        let git = slot.src().join(".git");
        for folder in [slot.folder(), slot.src(), git.clone(), git.join("objects/info")] {
            if !fs::symlink_metadata(&folder)?.is_dir() {
                return Err(io::Error::new(
                    io::ErrorKind::NotADirectory,
                    "it is no folder any more",
                ));
            }
        }
        for room in ["tmp", "out"] {
            absent_is_fine(delete(&slot.folder().join(room)))?;
        }
        fail::fail_point!("trees::release::emptied", |_| std::process::abort());
        usage::blocks(&slot.folder())
    }

    fn touch(&self, slot: &Slot, bytes: Option<u64>) -> Result<(), GitError> {
        let contents: Option<Contents> =
            records::read(&slot.contents()).map_err(self.unreadable())?;
        let Some(contents) = contents else { return Ok(()) };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let released_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let bytes = bytes.unwrap_or(contents.bytes);
        write_contents(slot, &Contents { bytes, released_ms, ..contents })
    }
}

/// Nothing of a request may lead out of the pool, or be an option of git.
fn check<'a>(request: &TreeRequest<'a>) -> Result<TreeRequest<'a>, GitError> {
    if !is_name(request.holder) {
        return Err(GitError::NotAName(request.holder.to_owned()));
    }
    check_id(request.commit)?;
    Ok(*request)
}
