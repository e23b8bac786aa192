//! What build tools have downloaded, kept between attempts in folders of ours: the user's own caches are in no
//! write scope, and what agents can write to must never feed a verification.
//!
//! There is one set of folders for agents and one for checks; the caller names the folder of the set.

use crate::cli::looks_secret;
use orchestra_core::confinement::Cache;
use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// The variables by which a tool finds its caches, each with a folder below that of the tool.
fn variables(cache: Cache) -> &'static [(&'static str, &'static str)] {
    match cache {
        Cache::Cargo => &[("CARGO_HOME", "")],
        Cache::Npm => &[("npm_config_cache", "")],
        Cache::Pip => &[("PIP_CACHE_DIR", "")],
        Cache::Uv => &[("UV_CACHE_DIR", "")],
        Cache::Go => &[("GOMODCACHE", "mod"), ("GOCACHE", "build")],
    }
}

/// Caches that are ready.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caches {
    /// What leads the tools there: names and values.
    pub variables: Vec<(String, String)>,
    /// The folders that the tools have to write to.
    pub write: Vec<PathBuf>,
}

/// Makes the caches of these tools in `folder`. `environment` is the run's, from which a tool's configuration
/// is found.
pub fn prepare(
    folder: &Path,
    tools: &[Cache],
    environment: &BTreeMap<String, String>,
) -> io::Result<Caches> {
    let mut caches = Caches::default();
    for &tool in tools {
        let home = folder.join(tool.to_string());
        fs::create_dir_all(&home)?;
        // The kernel compares real paths, and refuses links in a write scope.
        let home = home.canonicalize()?;
        make_usable(&home)?;
        for (variable, below) in variables(tool) {
            let path = home.join(below);
            make_folder(&path)?;
            caches.variables.push(((*variable).to_owned(), path.to_string_lossy().into_owned()));
        }
        if tool == Cache::Cargo {
            seed_cargo(folder, &home, environment)?;
        }
        caches.write.push(home);
    }
    Ok(caches)
}

/// What an agent may have put in its place is no folder to use, nor one whose rights it has taken away.
fn make_folder(path: &Path) -> io::Result<()> {
    if path.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
        absent_is_fine(fs::remove_file(path))?;
    }
    fs::create_dir_all(path)?;
    make_usable(path)
}

fn make_usable(folder: &Path) -> io::Result<()> {
    const ALL: u32 = 0o700;
    let mut permissions = folder.symlink_metadata()?.permissions();
    if permissions.mode() & ALL == ALL {
        return Ok(());
    }
    permissions.set_mode(permissions.mode() | ALL);
    fs::set_permissions(folder, permissions)
}

/// Cargo's configuration lies in the same folder as its downloads: registries and proxies have to be the
/// user's. Written anew each time, so that no agent configures the builds of the next one. Credentials
/// stay where they are.
fn seed_cargo(
    caches: &Path,
    home: &Path,
    environment: &BTreeMap<String, String>,
) -> io::Result<()> {
    let user = match environment.get("CARGO_HOME") {
        Some(home) => Some(PathBuf::from(home)),
        None => environment.get("HOME").map(|home| Path::new(home).join(".cargo")),
    };
    let text = user.and_then(|user| {
        // Cargo itself prefers the old name when there are both.
        ["config", "config.toml"].iter().find_map(|name| fs::read_to_string(user.join(name)).ok())
    });
    let configuration = text.and_then(|text| text.parse::<toml::Table>().ok()).map(without_secrets);
    for name in ["config", "credentials", "credentials.toml"] {
        remove_if_there(caches, &home.join(name))?;
    }
    let path = home.join("config.toml");
    match configuration {
        Some(configuration) => {
            // No file takes the place of a folder.
            if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                remove_if_there(caches, &path)?;
            }
            replace(&path, &configuration.to_string())
        }
        None => remove_if_there(caches, &path),
    }
}

fn without_secrets(table: toml::Table) -> toml::Table {
    let clean = |(name, value): (String, toml::Value)| match value {
        toml::Value::Table(table) => Some((name, toml::Value::Table(without_secrets(table)))),
        _ if looks_secret(&name) => None,
        value => Some((name, value)),
    };
    table.into_iter().filter_map(clean).collect()
}

/// In one step: other attempts read it at the same time.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// An agent may have made a folder of it, with whatever below: that goes first to `caches`, where no agent
/// reaches it, and what cannot be deleted stays there and is in nobody's way.
fn remove_if_there(caches: &Path, path: &Path) -> io::Result<()> {
    if !path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return absent_is_fine(fs::remove_file(path));
    }
    // A folder moves only with the right to write to it.
    absent_is_fine(make_usable(path))?;
    let aside = tempfile::Builder::new().prefix(".removed-").tempdir_in(caches)?;
    let moved = aside.path().join("folder");
    absent_is_fine(fs::rename(path, &moved))?;
    // It is in nobody's way any more: no attempt has to fail for it.
    let _ = make_all_usable(&moved).and_then(|()| aside.close());
    Ok(())
}

fn make_all_usable(folder: &Path) -> io::Result<()> {
    make_usable(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_all_usable(&entry.path())?;
        }
    }
    Ok(())
}

/// Other attempts prepare the same caches at the same time.
fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn each_tool_is_led_to_a_folder_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let tools = Cache::WORDS.map(|(_, tool)| tool);
        let Caches { variables: set, write } = prepare(&root, &tools, &BTreeMap::new()).unwrap();
        let expected = [
            ("CARGO_HOME", "cargo/"),
            ("npm_config_cache", "npm/"),
            ("PIP_CACHE_DIR", "pip/"),
            ("UV_CACHE_DIR", "uv/"),
            ("GOMODCACHE", "go/mod"),
            ("GOCACHE", "go/build"),
        ]
        .map(|(name, path)| (name.to_owned(), format!("{}/{path}", root.display())));
        assert_eq!(set, expected);
        assert_eq!(write, ["cargo", "npm", "pip", "uv", "go"].map(|tool| root.join(tool)));
        assert!(set.iter().all(|(_, path)| Path::new(path).is_dir()));
        assert_eq!(prepare(&root, &[], &BTreeMap::new()).unwrap(), Caches::default());
    }

    #[test]
    fn cargo_finds_the_users_registries_and_none_of_the_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let (user, ours) = (folder.path().join("user"), folder.path().join("ours"));
        fs::create_dir_all(&user).unwrap();
        let config = "[source.crates-io]\nreplace-with = \"mirror\"\n[registries.mirror]\n\
                      index = \"sparse+https://mirror.invalid/\"\ntoken = \"cio-secret\"\n";
        fs::write(user.join("config.toml"), config).unwrap();
        fs::write(user.join("credentials.toml"), "[registry]\ntoken = \"cio-secret\"\n").unwrap();
        let user = user.to_str().unwrap().to_owned();
        let environment = BTreeMap::from([("CARGO_HOME".to_owned(), user)]);
        let seed = || prepare(&ours, &[Cache::Cargo], &environment).unwrap();
        seed();
        let written = ours.join("cargo/config.toml");
        let expected: toml::Table = config.replace("token = \"cio-secret\"\n", "").parse().unwrap();
        let read = || fs::read_to_string(&written).unwrap().parse::<toml::Table>().unwrap();
        assert_eq!(read(), expected);

        // What an agent leaves there does not reach the next attempt.
        fs::remove_file(&written).unwrap();
        symlink("/etc/hostname", &written).unwrap();
        fs::write(ours.join("cargo/config"), "[build]\nrustc-wrapper = \"./evil\"\n").unwrap();
        fs::create_dir(ours.join("cargo/credentials")).unwrap();
        seed();
        assert_eq!(read(), expected);
        let left: Vec<_> = fs::read_dir(ours.join("cargo")).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
    #[test]
    fn whatever_an_agent_makes_of_the_caches_the_next_attempt_finds_them_ready() {
        let folder = tempfile::tempdir().unwrap();
        let (user, ours) = (folder.path().join("user"), folder.path().join("ours"));
        fs::create_dir(&user).unwrap();
        fs::write(user.join("config.toml"), "[net]\nretry = 2\n").unwrap();
        let user = user.to_str().unwrap().to_owned();
        let environment = BTreeMap::from([("CARGO_HOME".to_owned(), user)]);
        let tools = [Cache::Cargo, Cache::Go];
        let ready = prepare(&ours, &tools, &environment).unwrap();
        let (config, module) = (ours.join("cargo/config.toml"), ours.join("go/mod"));
        let forbid = |path: &Path, mode: u32| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let remove = |path: &Path| {
            if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }.unwrap();
        };
        let damages: [&dyn Fn(); 6] = [
            &|| {
                remove(&config);
                fs::create_dir_all(config.join("inner/deeper")).unwrap();
                fs::write(config.join("inner/file"), "").unwrap();
                forbid(&config.join("inner"), 0o500);
                forbid(&config, 0o500);
            },
            &|| {
                remove(&module);
                fs::write(&module, "").unwrap();
            },
            &|| {
                remove(&module);
                symlink("no-such", &module).unwrap();
            },
            &|| {
                remove(&module);
                symlink(folder.path(), &module).unwrap();
            },
            &|| forbid(&module, 0),
            &|| forbid(&ours.join("cargo"), 0),
        ];
        for damage in damages {
            damage();
            assert_eq!(prepare(&ours, &tools, &environment).unwrap(), ready);
            assert_eq!(fs::read_to_string(&config).unwrap(), "[net]\nretry = 2\n");
            assert!(module.symlink_metadata().unwrap().is_dir());
            fs::write(module.join("download"), "").unwrap();
            fs::remove_file(module.join("download")).unwrap();
        }
        let mut left: Vec<_> =
            fs::read_dir(&ours).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["cargo", "go"]);
    }
}
