//! What agents cannot reach, shown by agents that try: the table of docs/security.md.
//!
//! The table is run by programs of their own, since who the user is, and in which namespace, belongs to a
//! whole process: as root, as an ordinary user, and as the root of a namespace as in a container. It is
//! run once more without a sandbox, where the same attacks succeed: so they are attacks.

mod attacks;
mod real_tools;
mod sandboxes;
mod settings;
mod table;

pub(crate) use attacks::{ATTACK, attack};
pub(crate) use table::{TABLE, run as run_table};

use super::Scenario;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("nothing_outside_is_reached_by_root", table::as_root),
    ("nothing_outside_is_reached_by_an_ordinary_user", table::as_ordinary_user),
    ("nothing_outside_is_reached_by_the_root_of_a_namespace", table::in_a_namespace),
    ("without_a_sandbox_the_same_attacks_succeed", table::without_a_sandbox),
    ("an_agents_own_sandbox_is_switched_off_where_the_kernel_holds_it", sandboxes::own_is_off),
    ("an_agents_own_sandbox_stays_on_where_it_was_asked_for", sandboxes::own_stays_on),
    ("no_sandbox_at_all_is_recorded", sandboxes::none),
    ("a_sandbox_that_is_missing_is_an_error", sandboxes::missing_bubblewrap),
    ("real_bubblewrap_holds_an_agent", sandboxes::bubblewrap),
    ("a_link_in_the_place_of_a_folder_to_write_to_is_refused", sandboxes::link_in_the_scope),
    ("a_helper_is_held_without_a_shim", sandboxes::helper),
    ("real_cargo_builds_in_a_held_tree", real_tools::cargo),
    ("real_npm_installs_in_a_held_tree", real_tools::npm),
    ("real_pip_installs_in_a_held_tree", real_tools::pip),
    ("real_uv_installs_in_a_held_tree", real_tools::uv),
    ("real_go_builds_in_a_held_tree", real_tools::go),
    ("settings_are_put_back_and_a_login_stays", settings::put_back),
    ("settings_are_put_back_through_no_link", settings::links),
];
