//! The secrets of a run, and whether something that an agent hands over has one of them in it.

use super::secrets;
use crate::mask::Secrets;
use std::{borrow::Cow, collections::BTreeMap};

/// The values of variables that look secret, each with the name of its variable.
pub struct KnownSecrets {
    by_name: Vec<(String, Secrets)>,
    all: Secrets,
}

impl KnownSecrets {
    /// Those of a run's environment.
    pub fn of(environment: &BTreeMap<String, String>) -> Self {
        let value = |name: &String| environment.get(name).map(|value| value.clone().into_bytes());
        let names = secrets(environment);
        let all = Secrets::new(names.iter().filter_map(value));
        let named = |name: String| {
            let value = Secrets::new(value(&name));
            (name, value)
        };
        Self { by_name: names.into_iter().map(named).collect(), all }
    }

    /// The content without them.
    pub fn mask<'t>(&self, content: &'t [u8]) -> Cow<'t, [u8]> {
        self.all.mask(content)
    }

    /// A variable whose value is in the content and was not in it before.
    pub fn new_in(&self, content: &[u8], before: &[u8]) -> Option<&str> {
        let is_new = |value: &Secrets| value.are_in(content) && !value.are_in(before);
        self.by_name.iter().find(|(_, value)| is_new(value)).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_over_is_looked_through_for_values_of_secret_variables() {
        let environment = [
            ("DEMO_TOKEN", "open-sesame"),
            ("PATH", "/usr/bin:/bin"),
            ("A_KEY", "x"),
            ("B_KEY", "another-one"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let secrets = KnownSecrets::of(&BTreeMap::from(environment));
        let content = b"PATH=/usr/bin:/bin x token=open-sesame\xff";
        assert_eq!(&*secrets.mask(content), b"PATH=/usr/bin:/bin x token=***\xff");
        assert_eq!(secrets.new_in(content, b""), Some("DEMO_TOKEN"));
        assert_eq!(secrets.new_in(b"PATH=/usr/bin:/bin x", b""), None);
        assert_eq!(secrets.new_in(content, content), None, "it was there before");
        let both = b"another-one open-sesame";
        assert_eq!(secrets.new_in(both, b"another-one"), Some("DEMO_TOKEN"));
        assert_eq!(secrets.new_in(both, b"open-sesame"), Some("B_KEY"));
    }
}
