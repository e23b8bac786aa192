//! The layers that set values, one over the other: files, then the environment, then flags.

use super::{
    Config, KEYS, Origin,
    kinds::{Given, Item},
};
use crate::{
    diagnostic::Diagnostic,
    source::{At, Findings, Source, did_you_mean, shortened},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The largest file that is read.
const MAX_FILE_BYTES: usize = 1 << 20;

/// What a workspace cannot set: neither what holds the programs that it brings nor how much of the
/// user's disk they take up is its own affair.
const NOT_FOR_WORKSPACES: [&str; 2] = ["attempt.sandbox", "tree.disk_budget"];

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    User,
    Workspace,
}

impl Config {
    /// Sets what a configuration file says. What is wrong with it is left as it was and named; the
    /// diagnostics are sorted by position.
    pub fn layer_file(&mut self, layer: Layer, file: &str, text: &str) -> Vec<Diagnostic> {
        if text.len() > MAX_FILE_BYTES {
            let message = format!("the file is larger than {} MiB", MAX_FILE_BYTES >> 20);
            return vec![Diagnostic::error(file, message, "keep the keys that you change only")];
        }
        let source = Source::new(file, text);
        let mut findings = Findings::new(source);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = source.at(error.span().map_or(0, |span| span.start));
            let message = format!("not valid TOML: {}", error.message());
            let hint = match layer {
                Layer::User => "write `[limits]` on a line and `max_parallel = 4` below it",
                Layer::Workspace => "write `[run]` on a line and `approve = true` below it",
            };
            findings.error(at, message, hint);
        }
        if errors.is_empty() {
            self.table(layer, String::new(), root.get_ref(), &mut findings);
        }
        findings.finish()
    }

    fn table(
        &mut self,
        layer: Layer,
        prefix: String,
        table: &DeTable<'_>,
        findings: &mut Findings<'_>,
    ) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let at = findings.source.at(name.span().start);
            let is_section = KEYS.iter().any(|known| {
                known.name.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('.'))
            });
            match value.get_ref() {
                DeValue::Table(table) if is_section => {
                    self.table(layer, format!("{key}."), table, findings);
                }
                _ if is_section => {
                    let message = format!("`{key}` is a section, not a value");
                    findings.error(at, message, format!("write `[{key}]` and its keys below"));
                }
                _ if layer == Layer::Workspace && NOT_FOR_WORKSPACES.contains(&key.as_str()) => {
                    let message = format!("a workspace cannot set `{key}`");
                    findings.error(at, message, "set it in ~/.config/orchestra/config.toml");
                }
                _ => self.key(&key, at, value, findings),
            }
        }
    }

    fn key(
        &mut self,
        key: &str,
        at: At,
        value: &Spanned<DeValue<'_>>,
        findings: &mut Findings<'_>,
    ) {
        let items: Option<Vec<Item<'_>>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| item_of(item.get_ref())).collect(),
            _ => None,
        };
        let words: Option<Vec<&str>> =
            items.as_ref().and_then(|items| items.iter().map(Item::as_text).collect());
        let given = match value.get_ref() {
            DeValue::String(text) => Given::Text(text),
            DeValue::Boolean(value) => Given::Bool(*value),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Given::Other("a number out of range"), Given::Integer),
            DeValue::Float(_) => Given::Other("a number with a fraction"),
            DeValue::Datetime(_) => Given::Other("a date"),
            DeValue::Array(_) => match (&words, &items) {
                (Some(words), _) => Given::List(words),
                (None, Some(items)) => Given::Nested(items),
                (None, None) => Given::Other("a list"),
            },
            DeValue::Table(_) => Given::Other("a table"),
        };
        let origin = Origin::File { file: findings.source.file.to_owned(), line: at.line };
        match self.set(key, given, origin) {
            Some(Ok(())) => {}
            Some(Err(wrong)) => {
                let at = findings.source.at(value.span().start);
                findings.error(at, format!("`{key}` is {wrong}"), example(key));
            }
            None => {
                let message = format!("there is no setting `{}`", shortened(key));
                let hint = findings.near(key, names()).unwrap_or_else(where_to_look);
                findings.error(at, message, hint);
            }
        }
    }

    /// Sets what the environment says. `variable` looks one up.
    pub fn layer_environment(
        &mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for key in KEYS {
            let Some(text) = variable(key.variable).filter(|text| !text.is_empty()) else {
                continue;
            };
            let origin = Origin::Variable(key.variable);
            if let Some(Err(wrong)) = self.set(key.name, Given::Text(&text), origin) {
                let message = format!("`{}` is {wrong}", shortened(&text));
                let file = format!("${}", key.variable);
                diagnostics.push(Diagnostic::error(&file, message, example(key.name)));
            }
        }
        diagnostics
    }

    /// Sets what a flag of the command line says: `--config limits.max_parallel=4`.
    pub fn layer_flag(&mut self, key: &str, value: &str) -> Result<(), Diagnostic> {
        match self.set(key, Given::Text(value), Origin::Flag) {
            Some(Ok(())) => Ok(()),
            Some(Err(wrong)) => {
                let message = format!("`{key}` is {wrong}");
                Err(Diagnostic::error("--config", message, example(key)))
            }
            None => {
                let message = format!("there is no setting `{}`", shortened(key));
                let near = did_you_mean(key, names());
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                Err(Diagnostic::error("--config", message, hint.unwrap_or_else(where_to_look)))
            }
        }
    }
}

/// An item of a list that is a text or a list of texts.
fn item_of<'v>(value: &'v DeValue<'_>) -> Option<Item<'v>> {
    match value {
        DeValue::String(text) => Some(Item::Text(text)),
        DeValue::Array(items) => {
            let words: Option<_> = items.iter().map(|item| item.get_ref().as_str()).collect();
            words.map(Item::List)
        }
        _ => None,
    }
}

/// How the key is written, with its default.
fn example(key: &str) -> String {
    let default = KEYS.iter().find(|known| known.name == key).map(|known| (known.default)());
    let name = key.rsplit_once('.').map_or(key, |(_, name)| name);
    format!("the default is `{name} = {}`", default.unwrap_or_default())
}

fn where_to_look() -> String {
    "see docs/configuration.md, or `orchestra config` for every key".to_owned()
}

/// All sections and keys.
fn names() -> impl Iterator<Item = &'static str> {
    let sections = KEYS.iter().filter_map(|known| known.name.split_once('.'));
    sections.map(|(section, _)| section).chain(KEYS.iter().map(|known| known.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{confinement::SandboxChoice, time::Millis};

    #[test]
    fn later_layers_win_and_say_so() {
        let mut config = Config::default();
        let user = "[limits]\nmax_parallel = 4\nageing = \"30s\"\n[run]\napprove = true\n";
        assert_eq!(config.layer_file(Layer::User, "~/config.toml", user), []);
        let workspace = "limits.max_parallel = 2\nattempt.log_limit = \"1MiB\"\n";
        assert_eq!(config.layer_file(Layer::Workspace, "w/config.toml", workspace), []);
        let variable = |name: &str| (name == "ORCHESTRA_LIMITS_AGEING").then(|| "5s".to_owned());
        assert_eq!(config.layer_environment(variable), []);
        config.layer_flag("attempt.grace", "1s").unwrap();

        let origin = |key: &str| config.origin(key).to_string();
        assert_eq!(config.limits.max_parallel, 2);
        assert_eq!(origin("limits.max_parallel"), "w/config.toml:1");
        assert_eq!(config.limits.ageing, Millis::seconds(5));
        assert_eq!(origin("limits.ageing"), "$ORCHESTRA_LIMITS_AGEING");
        assert_eq!(origin("run.approve"), "~/config.toml:5");
        assert_eq!(config.attempt.grace, Millis::seconds(1));
        assert_eq!(origin("attempt.grace"), "flag");
        assert_eq!(config.attempt.log_limit.to_string(), "1MiB");
        assert_eq!(origin("store.backups_kept"), "default");
        let effective = config.effective();
        assert_eq!(effective.len(), KEYS.len());
        assert_eq!(effective[1].value, "\"1s\"");
    }

    #[test]
    fn a_wrong_value_changes_nothing() {
        let mut config = Config::default();
        assert_eq!(config.layer_file(Layer::User, "c", "limits.max_parallel = 5000\n").len(), 1);
        let wrong = config.layer_environment(|name| {
            (name == "ORCHESTRA_RUN_APPROVE").then(|| "perhaps".to_owned())
        });
        assert_eq!(wrong[0].file, "$ORCHESTRA_RUN_APPROVE");
        let error = config.layer_flag("limits.max_paralel", "4").unwrap_err();
        assert_eq!(error.hint, "did you mean `limits.max_parallel`?");
        assert_eq!(config, Config::default());
    }

    #[test]
    fn a_workspace_does_not_choose_its_sandbox() {
        let mut config = Config::default();
        let refused = config.layer_file(Layer::Workspace, "c", "[attempt]\nsandbox = \"none\"\n");
        let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
        let expected = "c:2:1: error: a workspace cannot set `attempt.sandbox`";
        assert!(refused.len() == 1 && refused[0].starts_with(expected), "{refused:?}");
        assert_eq!(config, Config::default());
        assert_eq!(config.layer_file(Layer::User, "c", "attempt.sandbox = \"bwrap\"\n"), []);
        assert_eq!(config.attempt.sandbox, SandboxChoice::Bubblewrap);
        let wrong = config.layer_flag("attempt.sandbox", "seccomp").unwrap_err();
        let expected = "`attempt.sandbox` is not one of `auto`, `bwrap`, `agent` or `none`";
        assert_eq!(wrong.message, expected);
    }

    #[test]
    fn variables_are_named_after_their_keys() {
        for key in KEYS {
            let expected = format!("ORCHESTRA_{}", key.name.replace('.', "_").to_uppercase());
            assert_eq!(key.variable, expected);
        }
    }
}
