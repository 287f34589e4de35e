//! What is said of a component that a host cannot serve: what it is or wants, and what would help.

use std::collections::BTreeSet;
use std::fmt::Write;

/// What a component of WASI 0.3 exports, up to its patch version.
const HANDLER_0_3: &str = "wasi:http/handler@0.3";

/// Says which imports are missing, all of them, and what would help with each. The names are of interfaces.
pub fn missing_imports<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = "it imports what this host does not provide:".to_owned();
    for name in names.into_iter().collect::<BTreeSet<_>>() {
        write!(text, "\n  {name}: {}", remedy(name)).expect("a string takes all");
    }
    text
}

/// What would help where an import is missing.
fn remedy(name: &str) -> &'static str {
    let version = name.split_once('@').map_or("", |(_, version)| version);
    match name.split_once('/').map(|(package, _)| package) {
        Some(package) if package.starts_with("wasi:") && version.starts_with("0.3") => {
            "this host runs WASI 0.2; build the component for wasm32-wasip2"
        }
        Some("wasi:keyvalue") => "this host has the drafts 0.2.0-draft and 0.2.0-draft2; use a binding of one of them",
        Some("wasi:config") => "this host has the draft 0.2.0-rc.1; use a binding of that",
        Some(package) if package.starts_with("wasi:") => {
            "not part of what the hosts have of WASI; build the component without it"
        }
        _ => {
            "not of WASI; compose the component with one that exports it, as `wac plug` does, or leave out what needs the API of \
             one platform"
        }
    }
}

/// Says why a component without a handler is not served, from the names that it exports.
pub fn no_handler<'a>(exports: impl IntoIterator<Item = &'a str>) -> String {
    let exports: Vec<_> = exports.into_iter().collect();
    if exports.iter().any(|name| name.starts_with(HANDLER_0_3)) {
        return wasi_0_3().to_owned();
    }
    let what = if exports.iter().any(|name| name.starts_with("wasi:cli/run@")) {
        "it is a command (it exports `wasi:cli/run`), not a service".to_owned()
    } else if exports.is_empty() {
        "it exports nothing".to_owned()
    } else {
        format!("it exports {}", exports.join(", "))
    };
    format!("{what}; this host calls `wasi:http/incoming-handler@0.2`, which a component must export")
}

/// Whether the bytes of a component name the handler of WASI 0.3. Asked where a component does not compile, which one of
/// WASI 0.3 does not.
pub fn is_wasi_0_3(component: &[u8]) -> bool {
    component.windows(HANDLER_0_3.len()).any(|window| window == HANDLER_0_3.as_bytes())
}

/// Says that a component of WASI 0.3 is not served.
pub fn wasi_0_3() -> &'static str {
    "it is a component of WASI 0.3 (it exports `wasi:http/handler@0.3`); this host runs wasi:http 0.2, so build it for \
     wasm32-wasip2"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_import_is_named_once_with_a_remedy() {
        let text = missing_imports([
            "wasi:nn/tensor@0.2.0",
            "demo:calc/pricing",
            "wasi:http/types@0.3.0",
            "demo:calc/pricing",
        ]);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].contains("demo:calc/pricing") && lines[0].contains("wac plug"), "{text}");
        assert!(lines[1].contains("0.3.0: this host runs WASI 0.2"), "{text}");
        assert!(lines[2].contains("wasi:nn/tensor@0.2.0"), "{text}");
    }

    #[test]
    fn a_component_without_a_handler_is_told_by_what_it_exports() {
        assert!(no_handler([]).starts_with("it exports nothing"));
        assert!(no_handler(["wasi:cli/run@0.2.0"]).starts_with("it is a command"));
        assert!(no_handler(["a:b/c", "d"]).starts_with("it exports a:b/c, d;"));
        assert!(no_handler(["wasi:http/handler@0.3.0"]).contains("WASI 0.3"));
        assert!(is_wasi_0_3(b"\0asm..wasi:http/handler@0.3.0-rc-2026..") && !is_wasi_0_3(b"wasi:http/handler@0.2"));
    }
}
