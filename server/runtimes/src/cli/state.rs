//! The folders in which an agent keeps its logins and settings: the user's own, or a copy for the attempt.

use orchestra_core::{
    agent::AgentProfile,
    confinement::StateMode,
    outcome::{Failure, FailureKind},
};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
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

/// Finds the profile's state in `environment`. What does not exist is left out: nobody has logged in yet.
/// `protected`: folders that no agent may get at in this way.
pub(super) fn prepare(
    profile: &AgentProfile,
    environment: &BTreeMap<String, String>,
    copies: &Path,
    protected: &[PathBuf],
) -> Result<State, Failure> {
    let mut state = State::default();
    for (number, entry) in profile.state.iter().enumerate() {
        let Some(path) = expand(entry, environment) else { continue };
        let Ok(path) = path.canonicalize() else { continue };
        match profile.state_mode {
            StateMode::Shared => {
                check(profile, entry, &path, environment, protected)?;
                state.shared.push(path);
            }
            StateMode::Private => {
                let Some(variable) = entry.strip_prefix('$') else { continue };
                let copy = copies.join(number.to_string());
                seed(&path, &copy, DEEPEST_COPIED_FOLDER)
                    .map_err(|error| not_copied(profile, &path, &error))?;
                state.variables.push((variable.to_owned(), copy.to_string_lossy().into_owned()));
            }
        }
    }
    Ok(state)
}

/// `None` when its variable is not set, or the path is not absolute.
fn expand(entry: &str, environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let path = if let Some(rest) = entry.strip_prefix("~/") {
        Path::new(environment.get("HOME")?).join(rest)
    } else if let Some(rest) = entry.strip_prefix('$') {
        let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
        Path::new(environment.get(name)?).join(below)
    } else {
        PathBuf::from(entry)
    };
    path.is_absolute().then_some(path)
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
}
