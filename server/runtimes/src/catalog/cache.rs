//! What the files of a workspace say, kept until one of them changes.
//!
//! Every command that plans asks, so a change counts at the next command; a command that finds nothing
//! changed costs a few looks at folders in place of reading and checking every file.

use super::{Loaded, Surroundings, configuration, load, mcp, places, programs};
use orchestra_core::{config::Config, diagnostic::Diagnostic};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// For how many surroundings (an editor's PATH, a shell's) something is kept.
const KEPT: usize = 4;

/// File systems count time in steps: a file that was written this short before it was read may be written
/// again without looking any different.
const SETTLED_AFTER: Duration = Duration::from_millis(50);

/// What is known of one workspace.
#[derive(Debug)]
pub struct Known {
    pub config: Config,
    /// What is wrong with the configuration.
    pub config_diagnostics: Vec<Diagnostic>,
    pub loaded: Loaded,
}

/// Keeps what was read. One for each workspace; shared between threads.
#[derive(Debug, Default)]
pub struct Cache {
    /// The one that was asked for last comes first.
    entries: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    settings: BTreeMap<String, String>,
    stamps: Vec<Stamp>,
    /// Programs that were looked for, and whether they were there.
    programs: Vec<(String, bool)>,
    known: Arc<Known>,
}

/// A file or a folder as it is; everything but its content.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    /// Device, inode, size, and the times of the last change of its content and of itself in nanoseconds.
    seen: Option<(u64, u64, u64, i128, i128)>,
}

impl Cache {
    /// What the workspace at `root` (canonical) has, for whoever has this environment.
    pub fn get(
        &self,
        root: &Path,
        config_dir: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Arc<Known> {
        let matters =
            |name: &str| matches!(name, "PATH" | "HOME") || name.starts_with("ORCHESTRA_");
        let settings: BTreeMap<String, String> = environment
            .iter()
            .filter(|(name, _)| matters(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let now = SystemTime::now();
        // Before anything is read: what changes meanwhile looks different the next time.
        let stamps = stamps(root, config_dir, environment.get("HOME").map(Path::new));
        if let Some(known) = self.find(&settings, &stamps, root) {
            return known;
        }
        let known = Arc::new(read(root, config_dir, environment));
        if stamps.iter().all(|stamp| stamp.is_settled(now)) {
            self.keep(Entry {
                programs: programs_of(&known.loaded, &settings, root),
                settings,
                stamps,
                known: Arc::clone(&known),
            });
        }
        known
    }

    fn find(
        &self,
        settings: &BTreeMap<String, String>,
        stamps: &[Stamp],
        root: &Path,
    ) -> Option<Arc<Known>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let at = entries.iter().position(|entry| entry.settings == *settings)?;
        let entry = entries.remove(at);
        let is_same = entry.stamps == stamps
            && entry
                .programs
                .iter()
                .all(|(program, there)| is_there(program, settings, root) == *there);
        if !is_same {
            return None;
        }
        let known = Arc::clone(&entry.known);
        entries.insert(0, entry);
        Some(known)
    }

    fn keep(&self, entry: Entry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|known| known.settings != entry.settings);
        entries.insert(0, entry);
        entries.truncate(KEPT);
    }
}

fn read(root: &Path, config_dir: &Path, environment: &BTreeMap<String, String>) -> Known {
    let (config, config_diagnostics) = configuration::load_config(root, config_dir, environment);
    let loaded = load(&Surroundings {
        root,
        config_dir,
        home: environment.get("HOME").map(Path::new),
        path: environment.get("PATH").map(OsStr::new),
        config: &config,
    });
    Known { config, config_diagnostics, loaded }
}

/// Every program on whose being there or not the result depends.
fn programs_of(
    loaded: &Loaded,
    settings: &BTreeMap<String, String>,
    root: &Path,
) -> Vec<(String, bool)> {
    let backends = super::BACKENDS.iter().map(|backend| backend.program().to_owned());
    let of_agents = loaded.agents.iter().filter_map(|agent| agent.profile.as_ref());
    let mut programs: Vec<String> = of_agents
        .flat_map(|profile| profile.command.first().into_iter().chain(&profile.requires).cloned())
        .chain(backends)
        .collect();
    programs.sort();
    programs.dedup();
    let look = |program: String| {
        let there = is_there(&program, settings, root);
        (program, there)
    };
    programs.into_iter().map(look).collect()
}

fn is_there(program: &str, settings: &BTreeMap<String, String>, root: &Path) -> bool {
    programs::find(program, root, settings.get("PATH").map(OsStr::new)).is_some()
}

/// The folders and files that are read, as they are.
fn stamps(root: &Path, config_dir: &Path, home: Option<&Path>) -> Vec<Stamp> {
    let files = [
        config_dir.join(configuration::FILE),
        root.join(".orchestra").join(configuration::FILE),
        root.join(mcp::FILE),
    ];
    let mut stamps: Vec<Stamp> = files.into_iter().map(Stamp::of).collect();
    let agents = places::of_agents(root, config_dir, home);
    for place in agents.iter().chain(&places::of_workflows(root, config_dir)) {
        let folder = Stamp::of(place.path().to_owned());
        let is_there = folder.seen.is_some();
        stamps.push(folder);
        if is_there && let Ok(entries) = fs::read_dir(place.path()) {
            let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            files.sort();
            stamps.extend(files.into_iter().map(Stamp::of));
        }
    }
    stamps
}

impl Stamp {
    fn of(path: PathBuf) -> Self {
        // Of what a link leads to: that is what is read.
        let seen = fs::metadata(&path).ok().map(|found| {
            let nanoseconds =
                |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
            let changed = nanoseconds(found.ctime(), found.ctime_nsec());
            let modified = nanoseconds(found.mtime(), found.mtime_nsec());
            (found.dev(), found.ino(), found.size(), modified, changed)
        });
        Self { path, seen }
    }

    /// Whether it was last changed so long before `now` that another change shows.
    fn is_settled(&self, now: SystemTime) -> bool {
        let Some((.., modified, changed)) = self.seen else { return true };
        let Ok(now) = now.duration_since(SystemTime::UNIX_EPOCH) else { return false };
        let latest = i128::try_from((now.saturating_sub(SETTLED_AFTER)).as_nanos());
        latest.is_ok_and(|latest| modified.max(changed) < latest)
    }
}
