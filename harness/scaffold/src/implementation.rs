//! What is to be measured, as a table of the file, with everything else that it may say switched off.

use std::fmt::Write as _;

use crate::value::{line, string, table};
use crate::{Options, ScaffoldError};

/// The most characters of what was named in an error.
const SHOWN: usize = 200;

/// The most bytes of an image's name.
const LONGEST_IMAGE: usize = 512;

/// Checks that what is named can stand in the file.
///
/// # Errors
/// The first thing that cannot.
pub fn check(options: &Options<'_>) -> Result<(), ScaffoldError> {
    if options.component.is_some_and(str::is_empty) {
        return Err(ScaffoldError::Component);
    }
    if let Some(program) = options.program {
        let words = shlex::split(program).unwrap_or_default();
        if words.first().is_none_or(String::is_empty) {
            return Err(ScaffoldError::Program(line(program, SHOWN)));
        }
    }
    // As the file's reader has it.
    let is_plain = |char: char| char.is_ascii_graphic() && !"\"'`$\\{}".contains(char);
    let is_image = |image: &str| !image.is_empty() && image.len() <= LONGEST_IMAGE && image.chars().all(is_plain);
    match options.image {
        Some(image) if !is_image(image) => Err(ScaffoldError::Image(line(image, SHOWN))),
        _ => Ok(()),
    }
}

/// Writes the table.
pub fn write(options: &Options<'_>) -> String {
    let mut text = String::from(
        "\n# Who answers. Further tables with other names are compared with it: another language, another revision.\n\
         [implementation.main]\n",
    );
    let is_anything_named = options.component.is_some() || options.program.is_some() || options.image.is_some();
    text.push_str(&component(options, is_anything_named));
    text.push_str(&image(options));
    text.push_str(&program(options));
    text.push_str(&port(options.port));
    text.push_str(REST);
    text
}

fn component(options: &Options<'_>, is_anything_named: bool) -> String {
    let own = format!("{}.wasm", options.name);
    let file = string(options.component.unwrap_or(&own));
    let build = table([("file", file.clone()), ("build", string("make component"))]);
    let mut text = String::new();
    if is_anything_named {
        text.push_str(
            "# The component: its file, relative to this one. It exports `wasi:http/incoming-handler@0.2`.\n",
        );
    } else {
        text.push_str("# The component. Nothing was named, so that this is a guess: name yours, or an image or a program below.\n");
    }
    let off = if is_anything_named && options.component.is_none() { "# " } else { "" };
    let _ = writeln!(text, "{off}component = {file}");
    let _ = writeln!(text, "# With what builds it, which a shell runs in this folder:\n# component = {build}");
    text
}

fn image(options: &Options<'_>) -> String {
    let own = format!("{}:latest", options.name.replace('@', "-"));
    let name = string(options.image.unwrap_or(&own));
    let arguments = table([("reference", name.clone()), ("args", string("--listen 0.0.0.0:{port}"))]);
    let off = if options.image.is_none() { "# " } else { "" };
    let mut text = String::from("\n# The image: its name. The engine pulls it if it is not there.\n");
    let _ = writeln!(text, "{off}image = {name}");
    let _ = writeln!(text, "# With arguments in place of its own:\n# image = {arguments}");
    text.push_str("# Or built from a Dockerfile; the context is relative to this file:\n");
    text.push_str("# image = { dockerfile = \"Dockerfile\", context = \".\" }\n");
    text
}

fn program(options: &Options<'_>) -> String {
    let own = format!("./{} --listen {{addr}}", options.name);
    let command = string(options.program.unwrap_or(&own));
    let build = table([("command", command.clone()), ("build", string("make program"))]);
    let off = if options.program.is_none() { "# " } else { "" };
    let mut text = String::from(
        "\n# The program, run in this folder without a shell. `{port}` and `{addr}` are replaced by where it is to listen.\n",
    );
    let _ = writeln!(text, "{off}program = {command}");
    let _ = writeln!(text, "# With what builds it:\n# program = {build}");
    text
}

fn port(port: Option<u16>) -> String {
    let (off, port) = port.map_or(("# ", 8080), |port| ("", port));
    format!(
        "\n# The port that the program, or what is in the image, listens on. Without it: the one that it is told, by `PORT`,\n\
         # `LISTEN_ADDR` or its arguments.\n{off}port = {port}\n"
    )
}

/// What an implementation may say beyond that.
const REST: &str = r#"
# Its environment, beside the service's. Values may hold `{port}` and `{addr}`.
# env = { BIND = "{addr}" }

# What its containers need beyond a read-only root, no capabilities and user 65534; each stands beside its figures.
# The user: a name of the image's, a number, `root`, or `image` for the image's own.
# needs.user = "image"
# Folders that are writable, in memory and empty at first.
# needs.writable = ["/tmp"]
# The whole root, if folders are not enough.
# needs.writable_root = true
# needs.capabilities = ["NET_BIND_SERVICE"]

# What its component needs: hosts that it sends HTTP requests to, folders of this machine, and `wasi:config/store`.
# needs.outgoing = ["127.0.0.1:9000"]
# needs.folders = ["data=/data:ro"]
# needs.config = { greeting = "hello" }

# The most memory in MiB: of a container, and of each instance of the component.
# limits.memory_mib = 256
# The most processes and threads of a container.
# limits.pids = 256
# Seconds that a start may take.
# limits.start_s = 60.0
"#;
