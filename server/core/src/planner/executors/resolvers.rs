//! Who puts right what does not fit together: agents that change files.

use super::{Candidates, CatalogAgent, Team, shown};
use crate::{
    capability,
    plan::{Executor, Mode},
    source::{Findings, Text},
    workflow::{Resolve, Resolver},
};

const WHO_WRITES: &str = "name an agent that has `writes: true`; see `orchestra agents list`";

impl<'c> Team<'c> {
    /// In the order in which they are tried; empty only when there is a finding.
    pub(in super::super) fn resolvers(
        &mut self,
        resolve: &Resolve<'c>,
        findings: &mut Findings<'_>,
    ) -> Vec<Executor> {
        let agents = match &resolve.by {
            Resolver::Agent(name) => self.resolver(*name, findings),
            Resolver::Capable(capabilities) => {
                self.unknown_words(capabilities, findings);
                let needed: Vec<&str> = capabilities.iter().map(|text| text.value).collect();
                let mut agents = self.agents_with(&needed);
                if agents.is_empty() {
                    let message = format!("nobody who could resolve has `{}`", shown(&needed));
                    let (at, mode) = (resolve.at, Mode::Strategic);
                    self.nobody("resolve", at, message, &needed, mode, findings);
                    return Vec::new();
                }
                agents.retain(writes);
                if agents.is_empty() {
                    let message = format!("no agent that changes files has `{}`", shown(&needed));
                    findings.error(resolve.at, message, WHO_WRITES);
                }
                agents
            }
        };
        self.take(agents)
    }

    fn resolver(
        &self,
        name: Text<'_>,
        findings: &mut Findings<'_>,
    ) -> Vec<(&'c CatalogAgent, bool)> {
        let Some(agent) = self.agents.get(name.value) else {
            if capability::find(name.value).is_some() {
                let hint = format!("for a capability write a list: `resolve: [{}]`", name.value);
                findings.error(name.at, format!("there is no agent `{}`", name.value), hint);
            } else {
                self.unknown_agent(name, findings);
            }
            return Vec::new();
        };
        if !agent.profile.writes {
            let message =
                format!("agent `{}` changes no files, so it resolves nothing", name.value);
            findings.error(name.at, message, WHO_WRITES);
            return Vec::new();
        }
        let mut candidates = Candidates::default();
        self.with_fallbacks(agent, name, &mut candidates, findings);
        candidates.agents.retain(writes);
        if candidates.agents.is_empty() && !candidates.said {
            let message = format!("no fallback of agent `{}` changes files", name.value);
            findings.error(name.at, message, WHO_WRITES);
        }
        candidates.agents
    }
}

fn writes((agent, _): &(&CatalogAgent, bool)) -> bool {
    agent.profile.writes
}
