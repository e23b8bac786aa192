//! Who carries out a step: the native actions and agents that can, in the order of preference.

mod absent;
mod near;
mod resolvers;

use super::merges::Files;
use crate::{
    agent::AgentProfile,
    capability,
    catalog::{ArgumentInfo, Catalog, CatalogAgent, NativeInfo},
    plan::{Executor, Lane, Mode},
    source::{At, Findings, Text, shortened},
    template,
    workflow::{Step, Work},
};
use absent::Absent;
use std::{
    collections::{BTreeMap, HashMap},
    mem,
};

/// The catalogue by name, who of it the plan uses, and who is absent. What it is asked for lives as long.
pub(super) struct Team<'c> {
    catalog: &'c Catalog,
    natives: HashMap<&'c str, &'c NativeInfo>,
    agents: HashMap<&'c str, &'c CatalogAgent>,
    used: BTreeMap<String, AgentProfile>,
    absent: Absent<'c>,
}

/// Who could do a step, before its mode chooses among the two layers.
#[derive(Default)]
struct Candidates<'c> {
    natives: Vec<&'c NativeInfo>,
    /// Equals first, then those that only take over when these have failed.
    agents: Vec<(&'c CatalogAgent, bool)>,
    /// Something is wrong that has been said already, so that nothing needs to be said about the rest.
    said: bool,
}

impl<'c> Team<'c> {
    pub(super) fn new(catalog: &'c Catalog) -> Self {
        Self {
            catalog,
            natives: catalog.natives.iter().map(|native| (native.name.as_str(), native)).collect(),
            agents: catalog
                .agents
                .iter()
                .map(|agent| (agent.profile.name.as_str(), agent))
                .collect(),
            used: BTreeMap::new(),
            absent: Absent::default(),
        }
    }

    pub(super) fn into_agents(self) -> BTreeMap<String, AgentProfile> {
        self.used
    }

    /// Whether there are steps whose agents are all absent.
    pub(super) fn lacks_somebody(&self) -> bool {
        !self.absent.is_empty()
    }

    /// Says which steps these are: errors where the plan `is_wanted`, else warnings.
    pub(super) fn say_who_is_absent(&mut self, is_wanted: bool, findings: &mut Findings<'_>) {
        mem::take(&mut self.absent).say(is_wanted, findings);
    }

    /// Whether one of these may change files.
    pub(super) fn writes(&self, executors: &[Executor]) -> bool {
        executors.iter().any(|executor| match executor {
            Executor::Native { .. } => false,
            Executor::Agent { name, .. } => self.used.get(name).is_some_and(|agent| agent.writes),
        })
    }

    /// What whoever does a step does with files.
    pub(super) fn files(&self, executors: &[Executor]) -> Files {
        // Whoever is absent may write.
        if executors.is_empty() || self.writes(executors) {
            Files::Written
        } else if executors.iter().any(|executor| executor.lane() == Lane::Process) {
            Files::Read
        } else {
            Files::Unused
        }
    }

    /// In the order in which they are tried; empty only when there is a finding.
    pub(super) fn executors(
        &mut self,
        step: &Step<'c>,
        mode: Mode,
        findings: &mut Findings<'_>,
    ) -> Vec<Executor> {
        let Some(work) = &step.work else { return Vec::new() };
        let mut candidates = match work {
            Work::Named { action, agent } => self.named(step, *action, *agent, mode, findings),
            Work::Capable { capabilities, at } => {
                self.capable(step, capabilities, *at, mode, findings)
            }
        };
        match mode {
            Mode::Intelligent => {}
            Mode::Speed => candidates.agents.clear(),
            Mode::Strategic => candidates.natives.clear(),
        }
        if let [native, ..] = candidates.natives.as_slice() {
            check_arguments(native, step, candidates.natives.len() == 1, findings);
        }
        let natives = candidates.natives.into_iter().map(|native| Executor::Native {
            action: native.name.clone(),
            inline: native.inline,
            spawns: native.spawns,
        });
        let natives: Vec<Executor> = natives.collect();
        natives.into_iter().chain(self.take(candidates.agents)).collect()
    }

    /// Agents as executors of the plan, which carries their profiles.
    fn take(&mut self, agents: Vec<(&'c CatalogAgent, bool)>) -> Vec<Executor> {
        let mut taken = Vec::with_capacity(agents.len());
        for (agent, fallback) in agents {
            let profile = &agent.profile;
            if !self.used.contains_key(&profile.name) {
                self.used.insert(profile.name.clone(), profile.clone());
            }
            taken.push(Executor::Agent { name: profile.name.clone(), fallback });
        }
        taken
    }

    /// Whether there is anybody for a step that names capabilities.
    pub(super) fn has_anybody(&self, step: &Step<'_>, mode: Mode) -> bool {
        let Some(Work::Capable { capabilities, .. }) = &step.work else { return true };
        let needed: Vec<&str> = capabilities.iter().map(|capability| capability.value).collect();
        let is_native = |native: &NativeInfo| {
            needed.iter().all(|needed| native.capabilities.iter().any(|c| c == needed))
        };
        let by_native = mode != Mode::Strategic && self.catalog.natives.iter().any(is_native);
        let by_agent =
            mode != Mode::Speed && step.prompt.is_some() && !self.agents_with(&needed).is_empty();
        by_native || by_agent
    }

    fn named(
        &self,
        step: &Step<'_>,
        action: Option<Text<'_>>,
        agent: Option<Text<'_>>,
        mode: Mode,
        findings: &mut Findings<'_>,
    ) -> Candidates<'c> {
        let mut candidates = Candidates::default();
        if let Some(action) = action {
            match self.natives.get(action.value) {
                Some(native) => candidates.natives.push(native),
                None => {
                    candidates.said = true;
                    self.unknown_action(action, findings);
                }
            }
        }
        if let Some(name) = agent {
            match self.agents.get(name.value) {
                Some(agent) if step.prompt.is_none() && mode != Mode::Speed => {
                    candidates.said = true;
                    let message = format!("agent `{}` needs a `prompt`", agent.profile.name);
                    findings.error(step.at, message, "say what it is to do: `prompt: …`");
                }
                Some(agent) => self.with_fallbacks(agent, name, &mut candidates, findings),
                None => {
                    candidates.said = true;
                    self.unknown_agent(name, findings);
                }
            }
        } else if let [native] = candidates.natives.as_slice()
            && step.prompt.is_some()
        {
            // Without a prompt nobody could stand in for the action.
            let needed: Vec<&str> = native.capabilities.iter().map(String::as_str).collect();
            if !needed.is_empty() {
                candidates.agents = self.agents_with(&needed);
            }
        }
        let id = step.id.unwrap_or_default();
        if candidates.said {
            return candidates;
        }
        if mode == Mode::Speed && candidates.natives.is_empty() {
            let message = format!("mode speed is native only, but step `{id}` names no action");
            findings.error(step.at, message, "add `action: …`, or give it another mode");
        }
        if mode == Mode::Strategic && candidates.agents.is_empty() {
            let message = format!("mode strategic is for agents only, but step `{id}` has none");
            let hint = "add `agent: …` and a `prompt`, or give it another mode";
            findings.error(step.at, message, hint);
        }
        candidates
    }

    fn capable(
        &mut self,
        step: &Step<'c>,
        capabilities: &[Text<'c>],
        at: At,
        mode: Mode,
        findings: &mut Findings<'_>,
    ) -> Candidates<'c> {
        let needed: Vec<&str> = capabilities.iter().map(|capability| capability.value).collect();
        let has = |native: &&&NativeInfo| {
            needed.iter().all(|needed| native.capabilities.iter().any(|c| c == needed))
        };
        let mut natives: Vec<&NativeInfo> = self.catalog.natives.iter().collect();
        natives.retain(|native| has(&native));
        natives.sort_by_key(|native| (native.capabilities.len(), &native.name));
        let agents = self.agents_with(&needed);
        let (native_counts, agent_counts) =
            (mode != Mode::Strategic, mode != Mode::Speed && step.prompt.is_some());
        if (natives.is_empty() || !native_counts) && (agents.is_empty() || !agent_counts) {
            if !agents.is_empty() && mode != Mode::Speed {
                let message = format!("only agents can do `{}`", shown(&needed));
                findings.error(at, message, "say what they are to do: `prompt: …`");
            } else {
                let layer = match mode {
                    Mode::Intelligent => "nobody has",
                    Mode::Speed => "mode speed is native only, and no native action has",
                    Mode::Strategic => "mode strategic is for agents only, and none has",
                };
                let message = format!("{layer} `{}`", shown(&needed));
                let hint = match (natives.first(), agents.first()) {
                    (Some(native), _) => format!("the native action `{}` has", native.name),
                    (None, Some((agent, _))) => format!("agent `{}` has", agent.profile.name),
                    (None, None) => {
                        let name = step.id.unwrap_or_default();
                        return self.nobody(name, at, message, &needed, mode, findings);
                    }
                };
                findings.error(at, message, format!("{hint}: give the step another mode"));
            }
        }
        self.unknown_words(capabilities, findings);
        let agents = if agent_counts { agents } else { Vec::new() };
        Candidates { natives, agents, said: false }
    }

    /// Words of neither the catalogue nor a native action nor the type of an agent may be meant, or be a
    /// slip that an agent file has, too.
    fn unknown_words(&self, capabilities: &[Text<'_>], findings: &mut Findings<'_>) {
        for text in capabilities {
            let word = text.value;
            let of_native = |native: &NativeInfo| native.capabilities.iter().any(|c| c == word);
            let is_known = capability::find(word).is_some()
                || self.catalog.natives.iter().any(of_native)
                || self.catalog.agents.iter().any(|agent| agent.profile.kind == word);
            if !is_known {
                let message = format!("the catalogue has no capability `{}`", shortened(word));
                findings.warning(text.at, message, capability::hint_for_unknown(word));
            }
        }
    }

    /// Says that a step has nobody, now or, when only somebody like that is absent, for all such steps later.
    fn nobody(
        &mut self,
        step: &'c str,
        at: At,
        message: String,
        needed: &[&'c str],
        mode: Mode,
        findings: &mut Findings<'_>,
    ) -> Candidates<'c> {
        let near = near::who_was_near(self.catalog, needed);
        if mode != Mode::Speed && needed.iter().all(|word| self.is_known(word)) {
            self.absent.add(at, step, message, shown(needed), near);
        } else if near.is_empty() {
            findings.error(at, message, near::how_it_is_called(self.catalog, needed, findings));
        } else {
            findings.error(at, message, near::told(&near));
        }
        Candidates { said: true, ..Candidates::default() }
    }

    /// Whether it is a word of the catalogue, of an agent or of a native action, rather than a slip.
    fn is_known(&self, word: &str) -> bool {
        let of_native = |native: &NativeInfo| native.capabilities.iter().any(|c| c == word);
        capability::find(word).is_some()
            || self.catalog.natives.iter().any(of_native)
            || self.catalog.agents.iter().any(|agent| agent.lacks(&[word]).is_none())
    }

    /// Available agents that have all of `needed`, the preferred one first, then their fallbacks.
    fn agents_with(&self, needed: &[&str]) -> Vec<(&'c CatalogAgent, bool)> {
        let mut agents: Vec<&CatalogAgent> = self
            .catalog
            .agents
            .iter()
            .filter(|agent| agent.is_available() && agent.lacks(needed).is_none())
            .collect();
        agents.sort_by(|a, b| self.catalog.order.compare_idle(&a.profile, &b.profile));
        let mut agents: Vec<(&CatalogAgent, bool)> =
            agents.into_iter().map(|agent| (agent, false)).collect();
        add_fallbacks(&mut agents, self.catalog);
        agents
    }

    /// The agent that is named, if it can work, and those that it names itself.
    fn with_fallbacks(
        &self,
        agent: &'c CatalogAgent,
        name: Text<'_>,
        candidates: &mut Candidates<'c>,
        findings: &mut Findings<'_>,
    ) {
        let agents = &mut candidates.agents;
        agents.push((agent, false));
        add_fallbacks(agents, self.catalog);
        let Some(reason) = agent.unavailable() else { return };
        agents.remove(0);
        let message = format!("agent `{}` is not available: {reason}", agent.profile.name);
        match agents.first() {
            Some((fallback, _)) => {
                let hint = format!("`{}` takes its place", fallback.profile.name);
                findings.warning(name.at, message, hint);
            }
            None => {
                candidates.said = true;
                let hint = "see `orchestra agents check`, or name another agent";
                findings.error(name.at, message, hint);
            }
        }
    }

    fn unknown_action(&self, action: Text<'_>, findings: &mut Findings<'_>) {
        let name = shortened(action.value);
        let hint = if self.agents.contains_key(action.value) {
            format!("`{name}` is an agent: write `agent: {name}`")
        } else if action.value == Executor::MERGE {
            "leave the step out: where a step needs several works, they are merged before it"
                .to_owned()
        } else {
            let near = findings.nearest(action.value, sorted(&self.natives));
            hint_from(&near, "see `orchestra workflows check` and the list of native actions")
        };
        findings.error(action.at, format!("there is no native action `{name}`"), hint);
    }

    fn unknown_agent(&self, agent: Text<'_>, findings: &mut Findings<'_>) {
        let name = shortened(agent.value);
        let hint = if self.natives.contains_key(agent.value) {
            format!("`{name}` is a native action: write `action: {name}`")
        } else {
            let near = findings.nearest(agent.value, sorted(&self.agents));
            hint_from(
                &near,
                "see `orchestra agents list`, or add it as `.orchestra/agents/<name>.md`",
            )
        };
        findings.error(agent.at, format!("there is no agent `{name}`"), hint);
    }
}

/// Adds those that can work among the fallbacks of `agents`, and among theirs.
pub(super) fn add_fallbacks<'c>(agents: &mut Vec<(&'c CatalogAgent, bool)>, catalog: &'c Catalog) {
    let mut next = 0;
    while let Some((agent, _)) = agents.get(next).copied() {
        next += 1;
        for name in &agent.profile.fallback {
            if let Some(fallback) = catalog.agent(name)
                && fallback.is_available()
                && !agents.iter().any(|(known, _)| known.profile.name == *name)
            {
                agents.push((fallback, true));
            }
        }
    }
}

/// In an order that does not change from one run of the program to the next.
fn sorted<'n, T>(names: &HashMap<&'n str, T>) -> Vec<&'n str> {
    let mut names: Vec<&str> = names.keys().copied().collect();
    names.sort_unstable();
    names
}

fn hint_from(near: &[&str], otherwise: &str) -> String {
    match near {
        [] => otherwise.to_owned(),
        near => format!("did you mean `{}`?", near.join("` or `")),
    }
}

fn shown(needed: &[&str]) -> String {
    shortened(&needed.join(", "))
}

/// `with` against what the action declares. When several actions could do it, another one may take
/// what this one does not know.
fn check_arguments(native: &NativeInfo, step: &Step<'_>, only: bool, findings: &mut Findings<'_>) {
    let name = &native.name;
    let known = |key: &str| native.arguments.iter().find(|argument| argument.name == key);
    for entry in step.with.iter().filter(|_| only) {
        let Some(argument) = known(&entry.key) else {
            let names = || native.arguments.iter().map(|argument| argument.name.as_str());
            let hint = findings.near(&entry.key, names()).unwrap_or_else(|| {
                match names().collect::<Vec<_>>().as_slice() {
                    [] => format!("{name} takes no arguments"),
                    names => format!("arguments: {}", names.join(", ")),
                }
            });
            let key = shortened(&entry.key);
            findings.error(entry.key_at, format!("{name} has no argument `{key}`"), hint);
            continue;
        };
        let value = entry.value.to_json();
        let is_template = value.as_str().is_some_and(template::is_template);
        if !is_template && !argument.kind.fits(&value) {
            let message = format!("argument `{}` of {name} must be {}", entry.key, argument.kind);
            findings.error(entry.value.at, message, argument.description.clone());
        }
    }
    let missing = |argument: &&ArgumentInfo| {
        argument.required && !step.with.iter().any(|entry| entry.key == argument.name)
    };
    if let Some(argument) = native.arguments.iter().find(missing) {
        let message = format!("{name} needs the argument `{}`", argument.name);
        let hint = format!("add it below `with:`; it must be {}", argument.kind);
        findings.error(step.at, message, hint);
    }
}
