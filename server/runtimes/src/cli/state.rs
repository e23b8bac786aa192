//! The folders in which an agent keeps its logins and settings: the user's own, or a copy for the attempt.

use orchestra_core::{
    agent::AgentProfile,
    agent_file::StateEntry,
    confinement::StateMode,
    outcome::{Failure, FailureKind},
};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Component, Path, PathBuf},
};

/// How much of a state folder a copy takes over: settings and logins, not years of transcripts.
const LARGEST_COPIED_FILE: u64 = 1 << 20;
const DEEPEST_COPIED_FOLDER: usize = 3;

/// What follows for the attempt.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Folders and files of the user that it may write to.
    pub(super) shared: Vec<PathBuf>,
    /// Variables that lead it to its copies.
    pub(super) variables: Vec<(String, String)>,
}

/// An entry of `state`, with its variable looked up.
struct Entry {
    path: PathBuf,
    /// For an entry that begins with a variable: its name, and what the entry names below it.
    variable: Option<(String, String)>,
    /// It ends with a slash: it is a folder, which the agent would make.
    is_made: bool,
}

/// Finds the profile's state in `environment`. What does not exist is left out, as nobody has logged in yet;
/// but a folder whose entry says so is made: its agent does not start without it, and may not make it.
/// `protected`: folders that no agent may get at in this way.
pub(super) fn prepare(
    profile: &AgentProfile,
    environment: &BTreeMap<String, String>,
    copies: &Path,
    protected: &[PathBuf],
) -> Result<State, Failure> {
    let mut state = State::default();
    for (number, text) in profile.state.iter().enumerate() {
        let Some(entry) = Entry::find(text, environment) else { continue };
        match profile.state_mode {
            StateMode::Shared => {
                let Some(path) = entry.place() else { continue };
                check(profile, text, &path, environment, protected)?;
                if entry.is_made {
                    make(&path).map_err(|error| not_made(profile, &path, &error))?;
                }
                // Once more for a folder that somebody has put in its place.
                let Ok(path) = path.canonicalize() else { continue };
                check(profile, text, &path, environment, protected)?;
                state.shared.push(path);
            }
            StateMode::Private => {
                let Some((variable, below)) = entry.variable else { continue };
                let home = copies.join(number.to_string());
                let copy = home.join(below);
                match entry.path.canonicalize() {
                    Ok(path) => seed(&path, &copy, DEEPEST_COPIED_FOLDER),
                    Err(_) if entry.is_made => fs::create_dir_all(&copy),
                    Err(_) => continue,
                }
                .map_err(|error| not_copied(profile, &entry.path, &error))?;
                state.variables.push((variable, home.to_string_lossy().into_owned()));
            }
        }
    }
    Ok(state)
}

impl Entry {
    /// `None` when its variable is not set, or the path is not absolute.
    fn find(text: &str, environment: &BTreeMap<String, String>) -> Option<Self> {
        let StateEntry { variable, start, below, is_made } = StateEntry::parse(text)?;
        let value = variable.and_then(|name| environment.get(name));
        let start = match (value.filter(|value| !value.is_empty()), start) {
            (Some(value), _) => PathBuf::from(value),
            (None, Some("~")) => PathBuf::from(environment.get("HOME")?),
            (None, Some(start)) => match start.strip_prefix("~/") {
                Some(rest) => Path::new(environment.get("HOME")?).join(rest),
                None => PathBuf::from(start),
            },
            (None, None) => return None,
        };
        // A slash at the end would have links followed, and files be none.
        let path: PathBuf = start.join(below).components().collect();
        let variable = variable.map(|name| (name.to_owned(), below.to_owned()));
        path.is_absolute().then_some(Self { path, variable, is_made })
    }

    /// Where it really lies, or would if it was made; `None`: it is not there.
    fn place(&self) -> Option<PathBuf> {
        if let Ok(path) = self.path.canonicalize() {
            return Some(path);
        }
        // A link that leads nowhere is nothing to be made.
        if !self.is_made || self.path.symlink_metadata().is_ok() {
            return None;
        }
        let there = self.path.ancestors().find(|path| path.symlink_metadata().is_ok())?;
        let missing = self.path.strip_prefix(there).ok()?;
        // The value of a variable may lead up and down again.
        let is_plain = missing.components().all(|part| matches!(part, Component::Normal(_)));
        is_plain.then_some(there.canonicalize().ok()?.join(missing))
    }
}

/// For its owner only: a login will lie in it.
fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A whole home, the workspace and what Orchestra keeps are not an agent's state.
fn check(
    profile: &AgentProfile,
    entry: &str,
    path: &Path,
    environment: &BTreeMap<String, String>,
    protected: &[PathBuf],
) -> Result<(), Failure> {
    let home = environment.get("HOME").map(PathBuf::from);
    let real = |folder: &PathBuf| folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let holds = |folder: &PathBuf| real(folder).starts_with(path);
    let lies_in = |folder: &PathBuf| path.starts_with(real(folder));
    let refused = home.iter().find(|home| holds(home));
    let refused = refused.or_else(|| protected.iter().find(|one| holds(one) || lies_in(one)));
    match refused {
        None => Ok(()),
        Some(folder) => Err(Failure {
            kind: FailureKind::NotStarted,
            message: format!(
                "`state` of agent `{}` names {entry}, and with it {} could be changed",
                profile.name,
                folder.display()
            ),
            hint: Some("name only the folder in which the agent keeps its login".to_owned()),
        }),
    }
}

/// Regular files only: what a link leads to was not asked for.
fn seed(from: &Path, to: &Path, depth: usize) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let copy = to.join(entry.file_name());
        if metadata.is_dir() && depth > 1 {
            seed(&entry.path(), &copy, depth - 1)?;
        } else if metadata.is_file() && metadata.len() <= LARGEST_COPIED_FILE {
            fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}

fn not_made(profile: &AgentProfile, path: &Path, error: &io::Error) -> Failure {
    Failure {
        kind: FailureKind::Environment,
        message: format!("make the state {} of agent `{}`: {error}", path.display(), profile.name),
        hint: Some("make it yourself, or set `state_mode: private`".to_owned()),
    }
}

fn not_copied(profile: &AgentProfile, path: &Path, error: &io::Error) -> Failure {
    Failure {
        kind: FailureKind::Environment,
        message: format!("copy the state {} of agent `{}`: {error}", path.display(), profile.name),
        hint: Some("make it readable, or set `state_mode: shared`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestra_core::{agent::Origin, agent_file};
    use std::os::unix::fs::PermissionsExt as _;

    fn profile(keys: &str) -> AgentProfile {
        let text =
            format!("---\nname: coder\ncommand: [agent, \"{{prompt}}\"]\n{keys}\n---\nWork.\n");
        agent_file::read(&text, "coder.md", Origin::User).profile.unwrap()
    }

    /// A home with a login, and what protects itself beside it.
    fn user() -> (tempfile::TempDir, PathBuf, BTreeMap<String, String>) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for part in ["home/.agent/hooks", "home/.local/state/orchestra", "ws"] {
            fs::create_dir_all(root.join(part)).unwrap();
        }
        fs::write(root.join("home/.agent/auth.json"), "login").unwrap();
        fs::write(root.join("home/.agent/hooks/start.sh"), "true").unwrap();
        fs::write(root.join("home/.agent/transcript"), vec![b'x'; 2 << 20]).unwrap();
        let variables =
            [("HOME", "home"), ("AGENT_HOME", "home/.agent"), ("STATE", "home/.local/state")];
        let environment =
            variables.map(|(name, path)| (name.to_owned(), root.join(path).display().to_string()));
        (folder, root, BTreeMap::from(environment))
    }

    #[test]
    fn shared_state_is_the_users_own_and_nothing_beyond() {
        let (_folder, root, environment) = user();
        let protected = [root.join("home/.local/state/orchestra"), root.join("ws")];
        let shared = |state: &str| {
            let profile = profile(&format!("state: [{state}]"));
            prepare(&profile, &environment, Path::new("/no"), &protected)
        };
        let found = shared("$AGENT_HOME, $NOT_SET, ~/.never").unwrap();
        let expected = State { shared: vec![root.join("home/.agent")], variables: vec![] };
        assert_eq!(found, expected);
        std::os::unix::fs::symlink("..", root.join("home/.agent/up")).unwrap();
        for wide in ["$HOME", "~/.agent/up", "/", "$STATE", "$STATE/orchestra"] {
            let failure = shared(wide).unwrap_err();
            assert!(failure.message.contains(&format!("names {wide}, and with it")), "{failure}");
        }
        fs::create_dir(root.join("ws/.agent")).unwrap();
        assert!(shared(root.join("ws/.agent").to_str().unwrap()).is_err());
    }

    #[test]
    fn a_folder_that_the_agent_would_make_is_made_and_nothing_else() {
        let (_folder, root, environment) = user();
        let protected = [root.join("home/.local/state/orchestra"), root.join("ws")];
        let shared = |state: &str| {
            let profile = profile(&format!("state: ['{state}']"));
            prepare(&profile, &environment, Path::new("/no"), &protected).map(|found| found.shared)
        };
        let new = root.join("home/.new/agent");
        assert_eq!(shared("~/.new/agent").unwrap(), [""; 0].map(PathBuf::from));
        assert_eq!(shared("${NOT_SET:-~/.new/agent}/").unwrap(), [new.as_path()]);
        assert_eq!(new.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(shared("${AGENT_HOME:-~/.other}/").unwrap(), [root.join("home/.agent")]);
        assert!(!root.join("home/.other").exists());

        std::os::unix::fs::symlink(root.join("ws"), root.join("home/.link")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("home/.dangling")).unwrap();
        for refused in ["~/.link/new/", "~/.local/state/orchestra/new/"] {
            let failure = shared(refused).unwrap_err();
            assert!(failure.message.contains("and with it"), "{failure}");
        }
        for nothing in ["~/.dangling/", "${NOT_SET}/", "$NOT_SET/new/"] {
            assert_eq!(shared(nothing).unwrap(), [""; 0].map(PathBuf::from), "{nothing}");
        }
        assert!(!root.join("ws/new").exists() && !root.join("home/nowhere").exists());
        let failure = shared("~/.agent/auth.json/new/").unwrap_err();
        assert!(failure.message.starts_with("make the state "), "{failure}");
    }

    #[test]
    fn private_state_is_a_copy_to_which_the_variable_leads() {
        let (_folder, root, environment) = user();
        let copies = root.join("slot/tmp/state");
        let profile = profile("state: $AGENT_HOME\nstate_mode: private");
        let found = prepare(&profile, &environment, &copies, &[]).unwrap();
        let copy = copies.join("0");
        let variables = vec![("AGENT_HOME".to_owned(), copy.display().to_string())];
        assert_eq!(found, State { shared: vec![], variables });
        assert_eq!(fs::read_to_string(copy.join("auth.json")).unwrap(), "login");
        assert!(copy.join("hooks/start.sh").exists());
        assert!(!copy.join("transcript").exists());
    }

    #[test]
    fn private_state_below_a_variable_that_is_not_set_is_found_and_led_to() {
        let (_folder, root, environment) = user();
        let copies = root.join("slot/tmp/state");
        let find = |state: &str| {
            let profile = profile(&format!("state: ['{state}']\nstate_mode: private"));
            prepare(&profile, &environment, &copies, &[]).unwrap()
        };
        let home = copies.join("0");
        let variables = vec![("PARENT".to_owned(), home.display().to_string())];
        let expected = State { shared: vec![], variables };
        assert_eq!(find("${PARENT:-~}/.agent/"), expected);
        assert_eq!(fs::read_to_string(home.join(".agent/auth.json")).unwrap(), "login");
        // One that was never there is empty, and the user's home stays as it is.
        assert_eq!(find("${PARENT:-~}/.new/"), expected);
        assert!(home.join(".new").is_dir() && !root.join("home/.new").exists());
    }
}
