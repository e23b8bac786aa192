//! Native actions as the planner knows them.

use crate::native::{self, ArgumentKind as Kind, DefaultValue};
use orchestra_core::catalog::{ArgumentInfo, ArgumentKind, NativeInfo};

/// Every native action of this build.
pub fn native_infos() -> Vec<NativeInfo> {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let pure = native::all().iter().map(|native| (native.info(), false));
    let spawning = native::spawning().iter().map(|action| (action.info, true));
    pure.chain(spawning)
        .map(|(info, spawns)| NativeInfo {
            name: info.name.to_owned(),
            description: info.description.to_owned(),
            capabilities: words(info.capabilities),
            inline: info.inline,
            spawns,
            arguments: info
                .arguments
                .iter()
                .map(|argument| ArgumentInfo {
                    name: argument.name.to_owned(),
                    kind: match argument.kind {
                        Kind::Text => ArgumentKind::Text,
                        Kind::Choice(choices) => ArgumentKind::Choice { words: words(choices) },
                        Kind::Texts => ArgumentKind::Texts,
                        Kind::Commands => ArgumentKind::Commands,
                        Kind::Flag => ArgumentKind::Flag,
                        Kind::Count { min, max } => ArgumentKind::Count { min, max },
                        Kind::Any => ArgumentKind::Any,
                    },
                    required: argument.default == DefaultValue::Required,
                    description: argument.description.to_owned(),
                })
                .collect(),
        })
        .collect()
}
