//! The reference page of all settings, made from the table itself.

use super::KEYS;
use std::fmt::Write as _;

/// `docs/configuration.md`.
pub fn reference_page() -> String {
    let mut page = String::from(
        "<!-- Generated from the table of settings; `UPDATE=1 cargo test -p orchestra-core reference` \
         writes it anew. -->\n\
         # Configuration\n\n\
         Settings come from these layers; a later one wins:\n\n\
         1. the defaults below\n\
         2. `~/.config/orchestra/config.toml`\n\
         3. `.orchestra/config.toml` in the workspace\n\
         4. environment variables\n\
         5. flags of the command line\n\n\
         `orchestra config` shows every value in effect and where it comes from. A wrong value or an unknown \
         key is named with file, line and column.\n\n\
         ```toml\n\
         [limits]\n\
         max_parallel = 4\n\
         ```\n",
    );
    for key in KEYS {
        // Writing into a string cannot fail.
        let _ = write!(
            page,
            "\n## `{}`\n\n{}\n\n- Type: {}\n- Default: `{}`\n- Variable: `{}`\n",
            key.name,
            key.documentation.trim(),
            (key.describe)(),
            (key.default)(),
            key.variable,
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn reference_page_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        let page = reference_page();
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(written, page, "write it anew with UPDATE=1");
    }
}
