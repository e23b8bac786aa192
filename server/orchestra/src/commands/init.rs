//! `orchestra init`: the folder that people write in, with something to start from.

use crate::{commands::Done, failure::Failure, session::Session};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
};

/// What is created, by path below `.orchestra/`. Nothing that exists is touched.
const FILES: [(&str, &str); 4] = [
    (".gitignore", include_str!("init/gitignore")),
    ("config.toml", include_str!("init/config.toml")),
    ("agents/example.md", include_str!("init/example.md")),
    ("workflows/hello.yaml", include_str!("init/hello.yaml")),
];

pub(crate) fn run(session: &Session) -> Result<Done, Failure> {
    let top = session.root.join(".orchestra");
    let mut created = Vec::new();
    for (name, text) in FILES {
        let path = top.join(name);
        let doing = |error: io::Error| {
            Failure::doing(&format!("create {}", path.display()), error)
                .with_hint("check that the folder is yours to write")
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(doing)?;
        }
        if name == ".gitignore" && covers_everything(&path) {
            // The engine's own, made before anybody asked for a folder to share.
            fs::write(&path, text).map_err(doing)?;
            created.push(name);
            continue;
        }
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes()).map_err(doing)?;
                created.push(name);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(doing(error)),
        }
    }
    if session.json {
        anstream::println!("{}", serde_json::json!({ "root": session.root, "created": created }));
        return Ok(Done::Well);
    }
    for name in &created {
        anstream::println!("created .orchestra/{name}");
    }
    if created.is_empty() {
        anstream::println!("nothing to do: .orchestra/ has all it needs");
    }
    anstream::println!("next: `orchestra run hello`, or `orchestra run audit`");
    Ok(Done::Well)
}

fn covers_everything(gitignore: &std::path::Path) -> bool {
    fs::read_to_string(gitignore)
        .is_ok_and(|text| text.lines().filter(|line| !line.starts_with('#')).eq(["*"]))
}
