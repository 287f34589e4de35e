//! The page's running text.

use maud::{Markup, html};
use tare_model::RunRecord;

use super::list;
use crate::catalogue::Topic;
use crate::subjects::Service;

/// What was compared, where and when, in a line.
pub(super) fn headline(record: &RunRecord, services: &[String]) -> String {
    let host = &record.host;
    format!(
        "{} on {}, {} CPUs, {}, kernel {}; suite {}, started {}.",
        services.join(", "),
        host.cpu,
        host.cpus,
        host.os,
        host.kernel,
        record.plan.suite,
        record.started
    )
}

/// What the script offers to choose; hidden where there is no script, and everything is shown.
pub(super) fn controls(services: &[Service], topics: &[&Topic]) -> Markup {
    let mut platforms: Vec<&str> = Vec::new();
    for subject in services.iter().flat_map(|service| &service.subjects) {
        if !platforms.contains(&subject.platform.as_str()) {
            platforms.push(&subject.platform);
        }
    }
    html! {
        form #choose hidden aria-label="What is shown" {
            fieldset { legend { "Service" }
                label { input type="radio" name="service" value="" checked; " all" }
                @for service in services {
                    label { input type="radio" name="service" value=(service.name); " " (service.heading()) }
                }
            }
            fieldset { legend { "Charts" }
                label { input type="radio" name="topic" value="" checked; " all" }
                @for topic in topics { label { input type="radio" name="topic" value=(topic.id); " " (topic.title) } }
            }
            fieldset { legend { "Platforms" }
                @for platform in platforms {
                    label { input type="checkbox" name="platform" value=(platform) checked; " " (platform) }
                }
            }
        }
    }
}

/// A section that is a list; none where the list is empty.
pub(super) fn section(id: &str, title: &str, entries: &[(String, String)]) -> Markup {
    html! { @if !entries.is_empty() { section id=(id) { h2 { (title) } (list(entries)) } } }
}
