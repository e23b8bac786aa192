//! The table of all settings. What is not in it is no setting.

use super::{
    Effective, Origin, Setting,
    kinds::{Bytes, Kind, Number},
};
use crate::time::Millis;

/// One setting, as the reference page describes it.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Such as `limits.max_parallel`.
    pub name: &'static str,
    /// The environment variable that sets it.
    pub variable: &'static str,
    /// One paragraph.
    pub documentation: &'static str,
    pub(super) describe: fn() -> String,
    pub(super) default: fn() -> String,
}

/// A value as a layer gives it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    Text(&'a str),
    Integer(i64),
    Bool(bool),
    /// A TOML value that no setting has, by the name of its type.
    Other(&'static str),
}

fn read<T: Kind>(given: Given<'_>) -> Result<T, String> {
    let expected = || format!("not a {}", T::describe());
    match given {
        Given::Text(text) => T::from_text(text),
        Given::Integer(number) => T::from_integer(number).ok_or_else(expected),
        Given::Bool(value) => T::from_bool(value).ok_or_else(expected),
        Given::Other(kind) => Err(format!("{kind}, {}", expected())),
    }
}

macro_rules! settings {
    ($($(#[doc = $documentation:literal])+
        $field:ident: $type:ty = $name:literal, $variable:literal, $default:expr;)+) => {
        /// All settings, each with its origin.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Config {
            $($(#[doc = $documentation])+ pub $field: Setting<$type>,)+
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $($field: Setting { value: $default, origin: Origin::Default },)+ }
            }
        }

        /// Every setting there is, in the order of the reference page.
        pub static KEYS: &[Key] = &[$(Key {
            name: $name,
            variable: $variable,
            documentation: concat!($($documentation),+),
            describe: <$type as Kind>::describe,
            default: || { let default: $type = $default; default.to_toml() },
        },)+];

        impl Config {
            /// Every value in effect, in the order of [`KEYS`].
            pub fn effective(&self) -> Vec<Effective> {
                vec![$(Effective {
                    key: $name,
                    value: self.$field.value.to_toml(),
                    origin: self.$field.origin.clone(),
                },)+]
            }

            /// The error reads after "`key` is ". `None`: there is no such key.
            pub(super) fn set(
                &mut self,
                key: &str,
                given: Given<'_>,
                origin: Origin,
            ) -> Option<Result<(), String>> {
                match key {
                    $($name => Some(read(given).map(|value| {
                        self.$field = Setting { value, origin };
                    })),)+
                    _ => None,
                }
            }
        }
    };
}

settings! {
    /// How long the daemon stays when no client is connected and nothing runs.
    daemon_idle_exit: Millis = "daemon.idle_exit", "ORCHESTRA_DAEMON_IDLE_EXIT",
        Millis::minutes(10);
    /// How long an attempt that is told to stop may take before it is killed.
    attempt_grace: Millis = "attempt.grace", "ORCHESTRA_ATTEMPT_GRACE", Millis::seconds(5);
    /// How long an agent may go on running after it has written its sentinel.
    attempt_sentinel_wait: Millis = "attempt.sentinel_wait", "ORCHESTRA_ATTEMPT_SENTINEL_WAIT",
        Millis::seconds(10);
    /// How much of an attempt's output is kept: its head, its tail, and a line that says what was cut.
    attempt_log_limit: Bytes = "attempt.log_limit", "ORCHESTRA_ATTEMPT_LOG_LIMIT",
        Bytes::mebibytes(64);
    /// How many agents and other processes run at once, in all workspaces together.
    limits_max_parallel: Number<1, 4096> = "limits.max_parallel", "ORCHESTRA_LIMITS_MAX_PARALLEL",
        Number::clamped(8);
    /// How many native actions run at once. 0: as many as the machine has cores.
    limits_max_natives: Number<0, 4096> = "limits.max_natives", "ORCHESTRA_LIMITS_MAX_NATIVES",
        Number::clamped(0);
    /// How long a task waits until it counts one priority higher, so that none waits for ever.
    limits_ageing: Millis = "limits.ageing", "ORCHESTRA_LIMITS_AGEING", Millis::minutes(1);
    /// Whether every plan waits for `orchestra approve` before anything of it starts.
    run_approve: bool = "run.approve", "ORCHESTRA_RUN_APPROVE", false;
    /// How old the newest backup of a workspace's database may become.
    store_backup_every: Millis = "store.backup_every", "ORCHESTRA_STORE_BACKUP_EVERY",
        Millis::minutes(24 * 60);
    /// How many backups of a workspace's database are kept.
    store_backups_kept: Number<1, 1000> = "store.backups_kept", "ORCHESTRA_STORE_BACKUPS_KEPT",
        Number::clamped(5);
}
