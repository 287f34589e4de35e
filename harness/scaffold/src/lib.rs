//! What `tare init` writes: a commented `service.toml` that runs as it is.
//!
//! Pure: texts in, a text out. It opens no file and knows nothing of platforms.

mod document;
mod example;
mod implementation;
mod operation;
mod order;
mod parameter;
mod schema;
mod security;
mod step;
mod value;

use std::fmt::Write as _;

use document::Document;
use operation::Operation;
use order::Plan;
use step::{Expected, Step};
use value::{comment, string};

/// What the file is to hold.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The service's name, checked already.
    pub name: &'a str,
    /// The text of an `OpenAPI` description, as JSON or YAML.
    pub openapi: Option<&'a str>,
    /// What the file asks for where there is no description: a path, which begins with `/`.
    pub get: &'a str,
    /// The component's file, relative to the folder that the text is written into, or absolute.
    pub component: Option<&'a str>,
    /// The program with its arguments, as a shell takes them apart.
    pub program: Option<&'a str>,
    /// The image's name.
    pub image: Option<&'a str>,
    /// The port that the program, or what is in the image, listens on. `None` where it takes the one that it is told.
    pub port: Option<u16>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { name: "", openapi: None, get: "/", component: None, program: None, image: None, port: None }
    }
}

/// A `service.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaffold {
    /// The text of the file.
    pub text: String,
    /// The operations that got no step, or only one that is commented out, each with the reason, as `DELETE /a: because`.
    pub left_out: Vec<String>,
}

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScaffoldError {
    /// The description is larger than what is read.
    #[error("the description has {found} bytes, more than the {most} that are read: give one of fewer operations")]
    Size {
        /// Its bytes.
        found: usize,
        /// The most that are read.
        most: usize,
    },
    /// The description is nested too deeply.
    #[error("the description is nested more than {0} levels deep: move inner parts to `components`")]
    Depth(usize),
    /// The text is neither JSON nor YAML.
    #[error("the description is neither JSON nor YAML: {0}")]
    Syntax(String),
    /// Another version of `OpenAPI`, or something else.
    #[error("the description says `openapi: {0}`, and 3.0 and 3.1 are read: convert it first")]
    Version(String),
    /// It has no operations.
    #[error("the description has no operation under `paths`: describe one, or leave --openapi out")]
    Empty,
    /// No request can tell that the service has started.
    #[error(
        "no operation with an example can show that the service has started: describe a GET without parameters in its \
         path that answers 200, such as /healthz, or leave --openapi out and write the steps yourself{}",
        if .0.is_empty() { String::new() } else { format!("; left out were: {}", .0.join("; ")) }
    )]
    Probe(Vec<String>),
    /// The program cannot be taken apart.
    #[error("`{0}` is not a command: it is empty or has an open quotation mark")]
    Program(String),
    /// The component's file has no name.
    #[error("the component's file is empty: name one, such as service.wasm")]
    Component,
    /// The path is none.
    #[error(
        "`{0}` is not a path: begin it with `/`, and leave out spaces, quotation marks, braces and letters beyond ASCII"
    )]
    Path(String),
    /// The image's name is none.
    #[error("`{0}` is not the name of an image: write it like NAME:TAG")]
    Image(String),
}

/// The most operations that an error names.
const NAMED: usize = 5;

/// The most bytes of comments on operations that were left out.
const MOST_COMMENTS: usize = 64 << 10;

/// Writes a `service.toml`.
///
/// # Errors
/// The description cannot be read or holds no request that can be the probe; or what is to be measured cannot be named
/// in the file.
pub fn service_toml(options: &Options<'_>) -> Result<Scaffold, ScaffoldError> {
    implementation::check(options)?;
    let mut text = head(options.name);
    text.push_str(&implementation::write(options));
    let Some(openapi) = options.openapi else {
        text.push_str(&without_description(options.get)?);
        return Ok(Scaffold { text, left_out: Vec::new() });
    };
    let plan = plan(openapi)?;
    text.push_str(DESCRIBED);
    for step in &plan.steps {
        text.push('\n');
        text.push_str(&step.write());
    }
    text.push_str(&left_out(&plan.left_out));
    Ok(Scaffold { text, left_out: plan.left_out })
}

/// The steps of a description.
fn plan(openapi: &str) -> Result<Plan, ScaffoldError> {
    let document = Document::parse(openapi)?;
    let operations = Operation::all(&document);
    if operations.is_empty() {
        return Err(ScaffoldError::Empty);
    }
    let plan = order::plan(&document, operations);
    if plan.steps.iter().any(|step| step.probe) {
        return Ok(plan);
    }
    Err(ScaffoldError::Probe(plan.left_out.into_iter().take(NAMED).collect()))
}

/// What stands above the implementations.
fn head(name: &str) -> String {
    let name = string(name);
    format!(
        "# A service: what is compared ([implementation.NAME]) and what is asked ([[step]]).\n\
         # `tare doctor --service PATH` tells whether it can be measured here, `tare compare --service PATH` measures it.\n\
         # Lines such as `# key = value` are switched off: remove the `# ` to use them. Of lines that set the same\n\
         # key, one can be on.\n\
         \n\
         # Its name in reports, and a part of the names of files and containers.\n\
         name = {name}\n\
         \n\
         # What it does, in one sentence.\n\
         # summary = \"Keeps the carts of a shop.\"\n\
         \n\
         # The 99th percentile of the latency, in milliseconds, that a load must not exceed to count as sustained.\n\
         p99_objective_ms = 100\n\
         \n\
         # The environment of every implementation on every platform.\n\
         # env = {{ LOG_LEVEL = \"warn\" }}\n"
    )
}

/// What stands above the steps of a description.
const DESCRIBED: &str = "
# The requests, made from the examples of the API's description. They are sent in this order to check the service; those
# with a weight are the load, drawn by weight. Exactly one is the probe, whose right answer ends a start-up.
# An example of an answer is seldom the true answer, so only its status and content type are checked. To check more, take
# over the line `expect` that stands above a step with what never varies in it.
# `${unique}` in a request is replaced by 16 hex digits, which differ for every request: for names that may be taken once.
# Steps that change something have no weight: the load sends a request many thousand times, and a service that keeps
# more and more records is measured with more memory and work the faster it is.
";

/// The step where there is no description, and what else a step may hold.
fn without_description(path: &str) -> Result<String, ScaffoldError> {
    let is_plain = |char: char| char.is_ascii_graphic() && !matches!(char, '{' | '}' | '"' | '\\');
    if !(path.starts_with('/') && path.chars().all(is_plain)) {
        return Err(ScaffoldError::Path(path.into()));
    }
    let step = Step {
        name: if path == "/" { "root".into() } else { "probe".into() },
        method: "GET".into(),
        path: path.into(),
        expect: Expected { status: 200, content_type: None },
        weight: Some(1),
        probe: true,
        notes: vec![
            "The probe: its right answer ends a start-up. Use what the service answers cheaply once it is ready, such as"
                .into(),
            "/healthz. Exactly one step is the probe, and it is a GET without a body and without placeholders.".into(),
        ],
        ..Step::default()
    };
    let mut text = String::from(
        "\n# The requests. They are sent in this order to check the service; those with a weight are the load, drawn by weight.\n\n",
    );
    text.push_str(&step.write());
    text.push_str(MORE_STEPS);
    Ok(text)
}

/// Steps to be switched on, where there is no description.
const MORE_STEPS: &str = r#"# In place of the line `expect` above, more of a right answer: headers must begin like this, what is named of the
# JSON must be equal, and the body must hold the texts in `contains`, the only check of the body under load.
# expect = { status = 200, headers = { content-type = "application/json" }, json = { status = "ok" }, contains = ["ok"] }

# A step that makes something. `${unique}` is replaced by 16 hex digits, which differ for every request. `capture` gives a
# name to a part of the answer, by JSON pointer, for later steps. It has no weight: the load sends a request many thousand
# times, and a service that keeps more and more records is measured with more memory and work the faster it is.
# [[step]]
# name = "create"
# method = "POST"
# path = "/things"
# headers = { authorization = "Bearer TOKEN" }
# json = { name = "thing-${unique}" }
# expect = { status = 201 }
# capture = { thing = "/id" }

# A step that reads what was made. Its weight is its share of the load: here three reads for each request of the first step. A body that is
# not JSON would stand in `body` in place of `json`.
# [[step]]
# name = "read"
# method = "GET"
# path = "/things/${thing}"
# expect = { status = 200 }
# weight = 3
"#;

/// The operations that were left out, as comments.
fn left_out(reasons: &[String]) -> String {
    let mut text = String::new();
    if reasons.is_empty() {
        return text;
    }
    text.push_str("\n# Operations without a step that is switched on, and why:\n");
    for (index, reason) in reasons.iter().enumerate() {
        if text.len() > MOST_COMMENTS {
            let _ = writeln!(text, "# and {} more", reasons.len() - index);
            break;
        }
        text.push_str(&comment(&format!("- {reason}")));
    }
    text
}
