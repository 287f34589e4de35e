//! `service.toml`: a service by one file. What it asks stands in the file itself or in a `scenario.toml` beside it; who
//! answers, in its implementations.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tare_model::check_name;

use super::scenario::Step;
use super::service::{
    Build, Given, GivenComponent, GivenImage, GivenProgram, ImageSource, Implementation, Service, Source,
};
use super::{Limits, Needs, Scenario};

/// The name of the file in a service's folder.
pub const FILE: &str = "service.toml";

/// The name of a scenario's file.
const SCENARIO: &str = "scenario.toml";

/// The most bytes of a file that is read.
const MOST_BYTES: u64 = 4 << 20;

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// The folder's name where none is given.
    name: Option<String>,
    summary: Option<String>,
    p99_objective_ms: Option<f64>,
    #[serde(default)]
    typical: bool,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    step: Vec<Step>,
    #[serde(default)]
    implementation: BTreeMap<String, Table>,
}

/// An implementation as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Table {
    /// Whether the workspace builds it, which only the project's own services may say.
    workspace: bool,
    component: Option<ComponentEntry>,
    program: Option<ProgramEntry>,
    image: Option<ImageEntry>,
    url: Option<String>,
    port: Option<u16>,
    env: BTreeMap<String, String>,
    needs: Needs,
    limits: Limits,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ComponentEntry {
    File(PathBuf),
    Table(ComponentTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentTable {
    file: PathBuf,
    build: Option<Command>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ProgramEntry {
    Command(Command),
    Table(ProgramTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgramTable {
    command: Command,
    build: Option<Command>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ImageEntry {
    Reference(String),
    Table(ImageTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageTable {
    reference: Option<String>,
    dockerfile: Option<String>,
    context: Option<PathBuf>,
    args: Option<Command>,
    build: Option<Command>,
}

/// A command as one text or as its words.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Command {
    Text(String),
    Words(Vec<String>),
}

impl Command {
    /// Its words: a text is taken apart as a shell would, and no shell runs it.
    fn words(self) -> Result<Vec<String>> {
        let words = match self {
            Self::Words(words) => words,
            Self::Text(text) => {
                shlex::split(&text).with_context(|| format!("the command `{text}` has an open quotation mark"))?
            }
        };
        ensure!(words.first().is_some_and(|program| !program.is_empty()), "a command is empty");
        Ok(words)
    }

    /// It as a build step: a text is run by a shell, since that is where build commands are copied from.
    fn build(self) -> Result<Build> {
        Ok(Build(match self {
            Self::Text(text) => vec!["sh".into(), "-c".into(), text],
            words @ Self::Words(_) => words.words()?,
        }))
    }
}

/// Reads a service from its file, or from the folder that the file is in.
///
/// # Errors
/// There is no such file, it is not a service's, or cannot be used; with what is wrong.
pub fn load(path: &Path) -> Result<Service> {
    let file = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
    let text = read(&file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs_err::canonicalize(folder)?;
    parse(&text, &folder).with_context(|| format!("{} cannot be used", file.display()))
}

/// The same of a service that somebody brings.
///
/// # Errors
/// As of [`load`], or it says that the workspace builds it.
pub fn load_given(path: &Path) -> Result<Service> {
    ensure!(
        path.exists(),
        "there is no {}: name the folder of a service.toml, or the file; `init` writes a first one",
        path.display()
    );
    ensure!(
        !path.is_dir() || path.join(FILE).exists(),
        "there is no {FILE} in {0}: name its folder, or write a first one by `tare init {0}`",
        path.display()
    );
    let service = load(path)?;
    let of_workspace = service.implementations.iter().any(|it| matches!(it.source, Source::Workspace { .. }));
    ensure!(!of_workspace, "{}: only the project's own services are built by the workspace", path.display());
    Ok(service)
}

/// Reads a service from the text of its file, which lies in a folder.
///
/// # Errors
/// As of [`load`].
pub fn parse(text: &str, folder: &Path) -> Result<Service> {
    let manifest: Manifest = toml::from_str(text).context("it is not a service")?;
    let name = match &manifest.name {
        Some(name) => name.clone(),
        None => folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned(),
    };
    check_name(&name).map_err(anyhow::Error::msg).context("the service's name, `name` or else its folder's")?;
    ensure!(!manifest.implementation.is_empty(), "it has no implementation: add `[implementation.NAME]`");
    let mut implementations = Vec::new();
    for (name, table) in manifest.implementation {
        let implementation = implementation(&name, table, folder);
        implementations.push(implementation.with_context(|| format!("implementation `{}`", name.escape_debug()))?);
    }
    let scenario = if manifest.step.is_empty() {
        let file = folder.join(SCENARIO);
        ensure!(file.is_file(), "it has no `[[step]]`, and there is no {SCENARIO} beside it: say what is asked");
        let stray = manifest.summary.is_some()
            || manifest.p99_objective_ms.is_some()
            || manifest.typical
            || !manifest.env.is_empty();
        ensure!(!stray, "`summary`, `p99_objective_ms`, `typical` and `env` stand where the steps do, in {SCENARIO}");
        Scenario::parse(&read(&file)?).with_context(|| format!("{} cannot be used", file.display()))?
    } else {
        let mut scenario = Scenario {
            summary: manifest.summary.unwrap_or_default(),
            typical: manifest.typical,
            env: manifest.env,
            steps: manifest.step,
            ..Scenario::default()
        };
        scenario.p99_objective_ms = manifest.p99_objective_ms.unwrap_or(scenario.p99_objective_ms);
        scenario.check()?;
        scenario
    };
    Ok(Service { name, scenario, implementations })
}

fn implementation(name: &str, table: Table, folder: &Path) -> Result<Implementation> {
    check_name(name).map_err(anyhow::Error::msg)?;
    table.needs.check().map_err(anyhow::Error::msg)?;
    table.limits.check().map_err(anyhow::Error::msg)?;
    let Table { workspace, component, program, image, url, port, env, needs, limits } = table;
    let is_given = component.is_some() || program.is_some() || image.is_some();
    let source = match (workspace, url, is_given) {
        (true, None, false) => {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            Source::Workspace { folder: name.into() }
        }
        (false, Some(url), false) => Source::Running(running(&url)?),
        (false, None, true) => {
            let folder = folder.to_owned();
            let component = component.map(|entry| resolve_component(entry, &folder)).transpose()?;
            let program = program.map(resolve_program).transpose()?;
            let image = image.map(|entry| resolve_image(entry, &folder)).transpose()?;
            Source::Given(Box::new(Given { folder, port, component, program, image }))
        }
        (false, None, false) => bail!("it names nothing to measure: add `component`, `program`, `image` or `url`"),
        _ => bail!("`workspace`, `url`, and `component`, `program`, `image` exclude each other"),
    };
    Ok(Implementation { name: name.into(), source, env, needs, limits })
}

fn resolve_component(entry: ComponentEntry, folder: &Path) -> Result<GivenComponent> {
    Ok(match entry {
        ComponentEntry::File(file) => GivenComponent { file: folder.join(file), build: None },
        ComponentEntry::Table(ComponentTable { file, build }) => {
            GivenComponent { file: folder.join(file), build: build.map(Command::build).transpose()? }
        }
    })
}

fn resolve_program(entry: ProgramEntry) -> Result<GivenProgram> {
    let (command, build) = match entry {
        ProgramEntry::Command(command) => (command, None),
        ProgramEntry::Table(ProgramTable { command, build }) => (command, build),
    };
    let command = command.words().context("`program`")?;
    Ok(GivenProgram { command, build: build.map(Command::build).transpose()? })
}

fn resolve_image(entry: ImageEntry, folder: &Path) -> Result<GivenImage> {
    let table = match entry {
        ImageEntry::Reference(reference) => {
            ImageTable { reference: Some(reference), dockerfile: None, context: None, args: None, build: None }
        }
        ImageEntry::Table(table) => table,
    };
    let source = match (table.reference, table.dockerfile, table.context) {
        (Some(reference), None, None) => {
            check_reference(&reference)?;
            ImageSource::Reference(reference)
        }
        (None, dockerfile, context) if dockerfile.is_some() || context.is_some() => ImageSource::Dockerfile {
            file: dockerfile.unwrap_or_else(|| "Dockerfile".into()),
            context: folder.join(context.unwrap_or_else(|| ".".into())),
        },
        _ => bail!("`image` has either a `reference`, or a `dockerfile` with its `context`"),
    };
    let args = table.args.map(Command::words).transpose()?.unwrap_or_default();
    Ok(GivenImage { source, args, build: table.build.map(Command::build).transpose()? })
}

/// Checks that a text may be an image's name, which the engine judges for good.
///
/// # Errors
/// It is empty, or has what no name has.
pub(super) fn check_reference(reference: &str) -> Result<()> {
    let is_plain = |char: char| char.is_ascii_graphic() && !"\"'`$\\{}".contains(char);
    ensure!(
        !reference.is_empty() && reference.len() <= 512 && reference.chars().all(is_plain),
        "`{}` is not the name of an image",
        reference.escape_debug()
    );
    Ok(())
}

/// The address of a service that is running already.
///
/// # Errors
/// It is not a plain URL of this machine.
pub(super) fn running(url: &str) -> Result<SocketAddr> {
    let parsed = reqwest::Url::parse(url)
        .with_context(|| format!("`{}` is not a URL: write it like http://127.0.0.1:8080", url.escape_debug()))?;
    ensure!(parsed.scheme() == "http", "`{parsed}` is not plain HTTP, the only protocol that is measured");
    ensure!(
        parsed.path() == "/" && parsed.query().is_none(),
        "`{parsed}` has a path: leave it out, and name it by --get, or as the `path` of a step"
    );
    let port = parsed.port_or_known_default().context("it has no port")?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let host = if host == "localhost" { "127.0.0.1".to_owned() } else { host };
    let ip: Option<std::net::IpAddr> = host.parse().ok();
    match ip {
        Some(ip) if ip.is_loopback() => Ok(SocketAddr::new(ip, port)),
        _ => bail!("`{host}` is not this machine: only a loopback address is put under load, such as 127.0.0.1"),
    }
}

/// Reads a plain file of a sensible size.
fn read(file: &Path) -> Result<String> {
    let metadata = fs_err::metadata(file)?;
    ensure!(metadata.is_file(), "{} is not a file", file.display());
    ensure!(metadata.len() <= MOST_BYTES, "{} is larger than {MOST_BYTES} bytes", file.display());
    Ok(fs_err::read_to_string(file)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: &str =
        "[[step]]\nname = \"a\"\nmethod = \"GET\"\npath = \"/\"\nexpect = { status = 200 }\nweight = 1\nprobe = true\n";

    fn service(text: &str) -> Result<Service> {
        parse(&format!("{text}\n{STEP}"), Path::new("/shop/cart"))
    }

    #[test]
    fn an_implementation_may_be_written_in_a_line_or_in_a_table() {
        let text = r#"
            [implementation.short]
            component = "cart.wasm"
            program = "./cart --port {port} 'two words'"
            image = "cart:dev"
            [implementation.long]
            port = 8080
            env = { LOG = "warn" }
            component = { file = "cart.wasm", build = "make cart.wasm && ls" }
            program = { command = ["./cart"], build = ["make", "cart"] }
            image = { dockerfile = "Dockerfile.cart", context = "..", args = "--port {port}" }
            needs = { user = "root", writable = ["/tmp"] }
            limits = { memory_mib = 64 }
        "#;
        let service = service(text).unwrap();
        assert_eq!((service.name.as_str(), service.scenario.p99_objective_ms), ("cart", 100.0));
        let [long, short] = &service.implementations[..] else { panic!("two were written") };
        let Source::Given(given) = &short.source else { panic!("it was given") };
        assert_eq!(given.component.as_ref().unwrap().file, Path::new("/shop/cart/cart.wasm"));
        assert_eq!(given.program.as_ref().unwrap().command, ["./cart", "--port", "{port}", "two words"]);
        assert_eq!(given.image.as_ref().unwrap().source, ImageSource::Reference("cart:dev".into()));
        let Source::Given(given) = &long.source else { panic!("it was given") };
        let shell = Build(["sh", "-c", "make cart.wasm && ls"].map(str::to_owned).into());
        assert_eq!(given.component.as_ref().unwrap().build, Some(shell));
        assert_eq!(given.port, Some(8080));
        let source = ImageSource::Dockerfile { file: "Dockerfile.cart".into(), context: "/shop/cart/..".into() };
        assert_eq!(given.image.as_ref().unwrap().source, source);
        assert_eq!((long.limits.memory_bytes(), long.limits.pids), (Some(64 << 20), 256));
    }

    #[test]
    fn a_service_that_runs_already_must_be_on_this_machine() {
        let text = |url: &str| format!("[implementation.a]\nurl = \"{url}\"");
        let running = service(&text("http://localhost:8080")).unwrap();
        let Source::Running(addr) = running.implementations[0].source else { panic!("it runs") };
        assert_eq!(addr, "127.0.0.1:8080".parse().unwrap());
        for (url, told) in [
            ("http://192.0.2.1:80", "not this machine"),
            ("https://127.0.0.1", "not plain HTTP"),
            ("http://127.0.0.1/x", "has a path"),
            ("nonsense", "not a URL"),
        ] {
            let error = format!("{:#}", service(&text(url)).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (text, told) in [
            ("", "it has no implementation"),
            ("name = \"../x\"\n[implementation.a]\nimage = \"a\"", "`../x` is not a name"),
            ("[implementation.a]\n", "names nothing to measure"),
            ("[implementation.A]\nimage = \"a\"", "`A` is not a name"),
            ("[implementation.a]\nimage = \"a\"\nurl = \"http://127.0.0.1\"", "exclude each other"),
            ("[implementation.a]\nimage = \"a b\"", "`a b` is not the name of an image"),
            ("[implementation.a]\nimage = {}", "either a `reference`"),
            ("[implementation.a]\nprogram = \"'\"", "open quotation mark"),
            ("[implementation.a]\nprogram = \"\"", "a command is empty"),
            ("[implementation.a]\nimgae = \"a\"", "unknown field `imgae`"),
            ("[implementation.a]\nimage = \"a\"\nneeds = { writable = [\"x\"] }", "`x` is none"),
        ] {
            let error = format!("{:#}", service(text).unwrap_err());
            assert!(error.contains(told), "{error}");
        }
        let error = format!("{:#}", parse("[implementation.a]\nimage = \"a\"", Path::new("/none/here")).unwrap_err());
        assert!(error.contains("no `[[step]]`"), "{error}");
        let error = format!("{:#}", load(Path::new("/none/here")).unwrap_err());
        assert!(error.contains("/none/here"), "{error}");
    }
}
