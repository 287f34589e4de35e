//! Files that are not what they were. Each is damaged several times, and in another way each time.

use super::super::fault::{Fault, Given, Kind, Task, Victim};
use super::super::mutate::Damage;

/// A damaged file: whatever becomes of the reading, the program says so and ends.
const fn file(name: &'static str, victim: Victim, damage: Damage) -> Fault {
    let task = Task::Read(victim, damage);
    Fault { name, kind: Kind::File, task, given: Given::Usual, steps: &[], exits: &[0, 1, 2], says: &[] }
}

/// All of them.
pub const FAULTS: &[Fault] = &[
    file("record-truncated", Victim::Record, Damage::Truncated),
    file("record-flipped", Victim::Record, Damage::Flipped),
    file("record-swapped", Victim::Record, Damage::Swapped),
    file("record-huge", Victim::Record, Damage::Huge),
    file("record-nan", Victim::Record, Damage::NotANumber),
    file("record-control", Victim::Record, Damage::Control),
    file("record-nested", Victim::Record, Damage::Nested),
    file("record-path", Victim::Record, Damage::Path),
    file("samples-truncated", Victim::Samples, Damage::Truncated),
    file("samples-flipped", Victim::Samples, Damage::Flipped),
    file("samples-swapped", Victim::Samples, Damage::Swapped),
    file("samples-huge", Victim::Samples, Damage::Huge),
    file("samples-nan", Victim::Samples, Damage::NotANumber),
    file("samples-control", Victim::Samples, Damage::Control),
    file("samples-path", Victim::Samples, Damage::Path),
    // A number that is not whole is another number.
    Fault { says: &["samples.csv"], ..file("samples-torn", Victim::Samples, Damage::Torn) },
    Fault { exits: &[2], says: &["row "], ..file("samples-impossible", Victim::Samples, Damage::Impossible) },
    file("samples-endless", Victim::Samples, Damage::Repeated),
    file("latencies-flipped", Victim::Latencies, Damage::Flipped),
    file("latencies-truncated", Victim::Latencies, Damage::Truncated),
    file("claims-truncated", Victim::Claims, Damage::Truncated),
    file("claims-flipped", Victim::Claims, Damage::Flipped),
    file("claims-huge", Victim::Claims, Damage::Huge),
    file("claims-nan", Victim::Claims, Damage::NotANumber),
    file("claims-control", Victim::Claims, Damage::Control),
    file("claims-nested", Victim::Claims, Damage::Nested),
    file("service-truncated", Victim::Service, Damage::Truncated),
    file("service-flipped", Victim::Service, Damage::Flipped),
    file("service-huge", Victim::Service, Damage::Huge),
    file("service-nan", Victim::Service, Damage::NotANumber),
    file("service-control", Victim::Service, Damage::Control),
    file("service-nested", Victim::Service, Damage::Nested),
    file("service-path", Victim::Service, Damage::Path),
    file("scenario-truncated", Victim::Scenario, Damage::Truncated),
    file("scenario-flipped", Victim::Scenario, Damage::Flipped),
    file("scenario-swapped", Victim::Scenario, Damage::Swapped),
    file("scenario-huge", Victim::Scenario, Damage::Huge),
    file("scenario-control", Victim::Scenario, Damage::Control),
    file("scenario-nested", Victim::Scenario, Damage::Nested),
    file("component-truncated", Victim::Component, Damage::Truncated),
    file("component-flipped", Victim::Component, Damage::Flipped),
    file("component-swapped", Victim::Component, Damage::Swapped),
];
