//! The sections of tables, and the topics of the page that gather their charts.

/// Entries that stand together in tables under one heading.
#[derive(Debug)]
pub(crate) struct Section {
    pub name: &'static str,
    /// Where the page has the charts of its entries.
    pub topic: &'static Topic,
    /// What all of its figures have in common, below the tables; empty for nothing.
    pub explanation: &'static str,
}

/// A section of the page that consists of charts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    /// Its name in links.
    pub id: &'static str,
    pub title: &'static str,
    pub says: &'static str,
}

const STARTUP_TOPIC: Topic = Topic {
    id: "startup",
    title: "Start-up",
    says: "From launch to the end of the first right answer, with nothing of the subject running before.",
};

const MEMORY_TOPIC: Topic = Topic {
    id: "memory",
    title: "Memory",
    says: "PSS: resident memory with shared pages divided among their users, so that no page counts twice.",
};

const SIZE_TOPIC: Topic = Topic {
    id: "size",
    title: "Size",
    says: "What is shipped, what of it is shared, and what must be on the machine anyway.",
};

const LOAD_TOPIC: Topic = Topic {
    id: "load",
    title: "Load",
    says: "The same seeded requests for every subject of a service, every answer checked.",
};

/// What variants are worth, compared with their baselines.
pub(crate) const BASELINES: Topic = Topic {
    id: "settings",
    title: "What settings are worth",
    says: "Each variant differs in one thing from its baseline; 1 is no difference.",
};

/// The topics in the order of the page.
pub(crate) const TOPICS: &[&Topic] = &[&STARTUP_TOPIC, &MEMORY_TOPIC, &SIZE_TOPIC, &LOAD_TOPIC, &BASELINES];

pub(super) const SIZE: &Section = &Section { name: "size", topic: &SIZE_TOPIC, explanation: "" };

pub(super) const STARTUP: &Section = &Section {
    name: "start-up",
    topic: &STARTUP_TOPIC,
    explanation: "from launch to the end of the first right answer",
};

pub(super) const MEMORY: &Section = &Section {
    name: "memory",
    topic: &MEMORY_TOPIC,
    explanation: "PSS (resident memory, shared pages divided among their users) of the subject's processes",
};

pub(super) const FULL_LOAD: &Section =
    &Section { name: "full load", topic: &LOAD_TOPIC, explanation: "closed loop, every connection always busy" };

pub(super) const AT_ONE_RATE: &Section = &Section {
    name: "at one rate",
    topic: &LOAD_TOPIC,
    explanation: "open loop at one rate for all subjects of a service; latency: from the moment at which a request was due to \
                  the end of its right answer",
};
