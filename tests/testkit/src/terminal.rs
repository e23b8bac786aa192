//! A program on a terminal of its own, with somebody who types.

use crate::{Cmd, Outcome, Running};
use std::{io::Write as _, process::ChildStdin, time::Duration};

/// What a terminal turns into an interrupt of the program on it.
pub const CTRL_C: &str = "\x03";

/// A running program that has a pseudo-terminal for its input, output and errors.
#[derive(Debug)]
pub struct Terminal {
    running: Running,
    keyboard: ChildStdin,
}

impl Cmd {
    /// Starts the program on a pseudo-terminal of 30 lines by 100 columns.
    #[track_caller]
    pub fn spawn_on_terminal(self) -> Terminal {
        let line = format!("stty rows 30 cols 100; exec {}", self.shell_line());
        // util-linux's `script` makes the terminal, and ends with the code of the program.
        let script = self.with_program("script", ["-qefc", &line, "/dev/null"]);
        let (running, keyboard) = script.env("TERM", "xterm-256color").spawn_with_keyboard();
        Terminal { running, keyboard }
    }
}

impl Terminal {
    /// Presses these keys.
    #[track_caller]
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("somebody reads the keyboard");
    }

    /// Waits until this is, or has been, on the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str, limit: Duration) -> String {
        self.running.wait_for_stdout(text, limit)
    }

    /// Waits for the end; its standard output is all that was ever on the screen.
    #[track_caller]
    pub fn wait(self, limit: Duration) -> Outcome {
        // The keyboard stays until the end: a terminal that is hung up would end the program.
        self.running.wait(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sandbox;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn a_program_on_a_terminal_is_typed_to_and_interrupted() {
        let sandbox = Sandbox::new();
        let script = "trap 'echo \"it\\047s over\"; exit 3' INT; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] || exit 9; \
                      stty size; read -r name; echo \"hello $name\"; read -r _";
        let mut terminal = sandbox.command("sh").args(["-c", script]).spawn_on_terminal();
        terminal.wait_for("30 100", LIMIT);
        terminal.press("Ada\n");
        terminal.wait_for("hello Ada", LIMIT);
        terminal.press(CTRL_C);
        terminal.wait(LIMIT).code(3).stdout_has("it's over");
    }
}
