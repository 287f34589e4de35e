//! The table of functions against what components are told beforehand.

use std::collections::BTreeSet;

use tare_component::{INTERFACES, Versions};
use tare_host_wasmer::wasi::{Table, table};

#[test]
fn what_is_told_before_a_host_is_started_is_what_it_links() {
    let told: BTreeSet<String> = INTERFACES
        .iter()
        .map(|interface| match interface.versions {
            Versions::Release => format!("{}@0.2", interface.name),
            Versions::Draft(draft) => format!("{}@{draft}", interface.name),
        })
        .collect();
    let Table { functions, drops } = table();
    let linked: BTreeSet<String> =
        functions.iter().chain(drops).map(|function| function.interface.to_owned()).collect();
    // The host's own world, which is exported and not imported.
    let linked: BTreeSet<String> = linked.into_iter().filter(|name| name.starts_with("wasi:")).collect();
    assert_eq!(told, linked);
}
