//! The keys of an agent file that say what an agent needs besides its tree: its state, caches, sandbox.

use super::StateEntry;
use crate::{
    agent::AgentProfile,
    confinement::{Cache, StateMode},
    source::{Fields, Findings, shortened},
};

pub(super) const KEYS: [&str; 5] = ["state", "state_mode", "caches", "own_sandbox", "sandbox_off"];

const STATE_MODES: &[(&str, StateMode)] =
    &[("shared", StateMode::Shared), ("private", StateMode::Private)];

/// The profile with these keys read.
pub(super) fn read<'n>(
    fields: Fields<'n>,
    findings: &mut Findings<'n>,
    profile: AgentProfile,
) -> AgentProfile {
    let state_mode = fields.choice("state_mode", STATE_MODES, &[], findings).unwrap_or_default();
    let off = fields.texts("sandbox_off", findings);
    AgentProfile {
        state: state(fields, state_mode, findings),
        state_mode,
        caches: caches(fields, findings),
        own_sandbox: fields.flag("own_sandbox", findings).unwrap_or(!off.is_empty()),
        sandbox_off: off.iter().map(|argument| argument.value.to_owned()).collect(),
        ..profile
    }
}

/// Where an agent keeps its logins: paths that do not depend on where they are read.
fn state<'n>(fields: Fields<'n>, mode: StateMode, findings: &mut Findings<'n>) -> Vec<String> {
    let mut list = Vec::new();
    for text in fields.texts("state", findings) {
        let entry = text.value.trim();
        let quoted = shortened(entry);
        let Some(StateEntry { variable, .. }) = StateEntry::parse(entry) else {
            let message = format!("`state`: `{quoted}` is no fixed place");
            let hint = "write `$AGENT_HOME`, `~/.agent`, `${AGENT_HOME:-~/.agent}` or a whole path";
            findings.error(text.at, message, hint);
            continue;
        };
        if mode == StateMode::Private && variable.is_none() {
            let message = format!("`state`: nothing leads the agent from `{quoted}` to a copy");
            findings.error(text.at, message, "name the variable by which it finds its folder");
        } else {
            list.push(entry.to_owned());
        }
    }
    list
}

/// All of them unless the file says otherwise: a tool without its cache would fail to write to the user's.
fn caches<'n>(fields: Fields<'n>, findings: &mut Findings<'n>) -> Vec<Cache> {
    if fields.get("caches").is_none() {
        return Cache::WORDS.iter().map(|(_, cache)| *cache).collect();
    }
    let mut list = Vec::new();
    for text in fields.texts("caches", findings) {
        if let Some((_, cache)) = Cache::WORDS.iter().find(|(word, _)| *word == text.value) {
            list.push(*cache);
            continue;
        }
        let words = Cache::WORDS.map(|(word, _)| word);
        let near = findings.near(text.value, words);
        let hint = near.unwrap_or_else(|| format!("use some of: {}", words.join(", ")));
        findings.error(text.at, format!("there is no cache `{}`", shortened(text.value)), hint);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{agent::Origin, agent_file};

    fn profile(keys: &str) -> Result<AgentProfile, String> {
        let text = format!("---\nname: a\ncommand: [agent, \"{{prompt}}\"]\n{keys}\n---\nWork.\n");
        let read = agent_file::read(&text, "a.md", Origin::User);
        read.profile.ok_or_else(|| {
            let found = &read.diagnostics[0];
            format!("{}; {}", found.message, found.hint)
        })
    }

    #[test]
    fn the_keys_reach_the_profile() {
        let plain = profile("").unwrap();
        assert_eq!((plain.state, plain.own_sandbox), (vec![], false));
        assert_eq!(plain.caches, Cache::WORDS.map(|(_, cache)| cache));
        let named = profile(
            "state: [$AGENT_HOME, ~/.agent, $XDG_CONFIG_HOME/agent]\n\
             caches: [uv, npm]\nsandbox_off: [--sandbox, none]",
        )
        .unwrap();
        assert_eq!(named.state, ["$AGENT_HOME", "~/.agent", "$XDG_CONFIG_HOME/agent"]);
        assert_eq!(named.state_mode, StateMode::Shared);
        assert_eq!(named.caches, [Cache::Uv, Cache::Npm]);
        assert_eq!((named.own_sandbox, &*named.sandbox_off[1]), (true, "none"));
        let private = profile("state: $AGENT_HOME\nstate_mode: private\ncaches: []").unwrap();
        assert_eq!((private.state_mode, private.caches), (StateMode::Private, vec![]));
    }

    #[test]
    fn wrong_keys_are_named_with_what_to_write() {
        for (keys, expected) in [
            (
                "state: .agent",
                "`state`: `.agent` is no fixed place; write `$AGENT_HOME`, `~/.agent`, \
                 `${AGENT_HOME:-~/.agent}` or a whole path",
            ),
            (
                "state: ~/../../etc",
                "`state`: `~/../../etc` is no fixed place; \
                 write `$AGENT_HOME`, `~/.agent`, `${AGENT_HOME:-~/.agent}` or a whole path",
            ),
            (
                "state: ~/.agent\nstate_mode: private",
                "`state`: nothing leads the agent from `~/.agent` to a copy; \
                 name the variable by which it finds its folder",
            ),
            ("caches: [carg]", "there is no cache `carg`; did you mean `cargo`?"),
            ("state_mode: own", "there is no state_mode `own`; use one of: shared, private"),
        ] {
            assert_eq!(profile(keys).unwrap_err(), expected);
        }
    }
}
