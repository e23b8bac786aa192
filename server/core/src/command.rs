//! Commands that people write: a list of arguments, or one text that is split into words as a shell
//! would. No shell ever reads them.

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("the command is empty")]
    Empty,
    #[error("a quote is opened and not closed")]
    Quote,
    #[error("the command has a NUL character")]
    Nul,
    #[error("`{0}` means something to a shell, and no shell reads this")]
    Shell(String),
    #[error("`{0}` would set a variable in a shell, and no shell reads this")]
    Variable(String),
}

impl CommandError {
    /// The next step for a person.
    pub fn hint(&self) -> String {
        match self {
            Self::Empty => "name a program and its arguments, such as `cargo test`".to_owned(),
            Self::Quote => "close it, or write a list: [\"program\", \"it's\"]".to_owned(),
            Self::Nul => "take it out".to_owned(),
            Self::Shell(_) => "write several commands, or call a script; as a list of arguments \
                               it is passed on as it is"
                .to_owned(),
            Self::Variable(word) => format!("write `env {word} …`"),
        }
    }
}

/// Splits a text into words.
pub fn split(text: &str) -> Result<Vec<String>, CommandError> {
    let words = shell_words::split(text).map_err(|_| CommandError::Quote)?;
    // As one of several words it could still be meant: `[` takes `]` and `!`, too.
    let operator = |word: &&String| {
        matches!(word.as_str(), "&&" | "||" | "|" | ";" | "&" | ">" | ">>" | "<" | "2>&1")
            || word.len() > 1 && word.ends_with(';')
    };
    if let Some(word) = words.iter().find(operator) {
        return Err(CommandError::Shell(word.clone()));
    }
    if let Some((name, _)) = words.first().and_then(|word| word.split_once('='))
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(CommandError::Variable(words[0].clone()));
    }
    from_arguments(words)
}

/// Takes the arguments as they are.
pub fn from_arguments(arguments: Vec<String>) -> Result<Vec<String>, CommandError> {
    if arguments.iter().any(|argument| argument.contains('\0')) {
        return Err(CommandError::Nul);
    }
    match arguments.first() {
        Some(program) if !program.trim().is_empty() => Ok(arguments),
        _ => Err(CommandError::Empty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_as_a_shell_would() {
        for (text, words) in [
            ("cargo test", vec!["cargo", "test"]),
            ("  npm  run 'my test' ", vec!["npm", "run", "my test"]),
            (r#"pytest -k "a and b""#, vec!["pytest", "-k", "a and b"]),
            (r"./gradlew a\ b", vec!["./gradlew", "a b"]),
            ("make CC=gcc", vec!["make", "CC=gcc"]),
            ("echo $HOME *", vec!["echo", "$HOME", "*"]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
    }

    #[test]
    fn what_only_a_shell_understands_is_refused() {
        for (text, error, hint) in [
            ("", "the command is empty", "name a program"),
            ("''", "the command is empty", "name a program"),
            ("pytest -k 'a", "a quote is opened and not closed", "close it"),
            ("a && b", "`&&` means something to a shell, and no shell reads this", "several"),
            ("a; b", "`a;` means something to a shell, and no shell reads this", "several"),
            ("a > b", "`>` means something to a shell, and no shell reads this", "script"),
            (
                "CI=1 npm test",
                "`CI=1` would set a variable in a shell, and no shell reads this",
                "write `env CI=1 …`",
            ),
            ("a\0", "the command has a NUL character", "take it out"),
        ] {
            let found = split(text).unwrap_err();
            assert_eq!(found.to_string(), error, "{text}");
            assert!(found.hint().contains(hint), "{}", found.hint());
        }
    }

    #[test]
    fn arguments_are_taken_as_they_are() {
        let arguments = vec!["grep".to_owned(), "a|b".to_owned(), "|".to_owned()];
        assert_eq!(from_arguments(arguments.clone()), Ok(arguments));
        assert_eq!(from_arguments(Vec::new()), Err(CommandError::Empty));
    }
}
