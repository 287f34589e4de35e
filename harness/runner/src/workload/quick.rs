//! A service without any file: what is named on the command line, with a scenario of one request.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use tare_model::check_name;

use super::manifest::{check_reference, running};
use super::names::{image_stem, slug};
use super::scenario::{Expect, Step};
use super::service::{Given, GivenComponent, GivenImage, GivenProgram, ImageSource, Implementation, Service, Source};
use super::{Limits, Needs, Scenario};

/// The name of the implementation that is named on the command line.
pub const GIVEN: &str = "given";

/// And of the one that is running already.
pub const RUNNING: &str = "running";

/// What is named on the command line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quick {
    /// A component's file.
    pub component: Option<PathBuf>,
    /// A program with its arguments, as a shell takes them apart.
    pub program: Option<String>,
    /// An image's name.
    pub image: Option<String>,
    /// The URL of a service that is running already.
    pub url: Option<String>,
    /// The path of the one request.
    pub get: String,
    /// The name of the service; made from what is named where it is not given.
    pub name: Option<String>,
    /// The port that the program, or what is in the image, listens on.
    pub port: Option<u16>,
    /// Environment, as `NAME=VALUE`.
    pub env: Vec<String>,
    /// What it needs beyond the hardened default.
    pub needs: Needs,
    /// What it may use.
    pub limits: Limits,
}

impl Quick {
    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.component.is_none() && self.program.is_none() && self.image.is_none() && self.url.is_none()
    }

    /// Whether something is said of what is named, which must then be named.
    pub fn is_described(&self) -> bool {
        let nothing = Self { get: self.get.clone(), ..Self::default() };
        self.get != "/" || *self != nothing
    }

    /// The service that is named.
    ///
    /// # Errors
    /// Nothing is named, or something that cannot be.
    pub fn service(&self) -> Result<Service> {
        ensure!(!self.is_empty(), "name what to measure: --component, --program, --image or --url");
        self.check_described()?;
        let scenario = self.scenario();
        scenario.check().context("--get")?;
        let mut implementations = Vec::new();
        implementations.extend(self.given()?);
        if let Some(url) = &self.url {
            implementations.push(self.implementation(RUNNING, Source::Running(running(url)?))?);
        }
        let name = match &self.name {
            Some(name) => name.clone(),
            None => self.derived_name().context("no name can be made of what is named: give one by --name")?,
        };
        check_name(&name).map_err(anyhow::Error::msg)?;
        Ok(Service { name, scenario, implementations })
    }

    /// Whether what is said is said of something.
    ///
    /// # Errors
    /// It would be ignored: nothing that is named takes it.
    fn check_described(&self) -> Result<()> {
        let starts = self.program.is_some() || self.image.is_some();
        ensure!(self.port.is_none() || starts, "--port says where --program or --image listens, and neither is named");
        let is_plain = self.env.is_empty() && self.needs == Needs::default() && self.limits == Limits::default();
        ensure!(
            is_plain || starts || self.component.is_some(),
            "--env, --needs and --memory-mib are for what is started here (--component, --program, --image); what runs at \
             --url keeps its own"
        );
        Ok(())
    }

    fn given(&self) -> Result<Option<Implementation>> {
        if self.component.is_none() && self.program.is_none() && self.image.is_none() {
            return Ok(None);
        }
        let folder = std::env::current_dir().context("cannot read the current directory")?;
        let component = self.component.as_ref().map(|file| GivenComponent { file: folder.join(file), build: None });
        let program = self.program.as_deref().map(|command| -> Result<GivenProgram> {
            let command = shlex::split(command).with_context(|| format!("`{command}` has an open quotation mark"))?;
            ensure!(!command.is_empty(), "--program is empty");
            Ok(GivenProgram { command, build: None })
        });
        let image = self.image.as_deref().map(|reference| -> Result<GivenImage> {
            check_reference(reference)?;
            Ok(GivenImage { source: ImageSource::Reference(reference.into()), args: Vec::new(), build: None })
        });
        let (program, image) = (program.transpose()?, image.transpose()?);
        let given = Given { folder, port: self.port, component, program, image };
        Ok(Some(self.implementation(GIVEN, Source::Given(Box::new(given)))?))
    }

    fn implementation(&self, name: &str, source: Source) -> Result<Implementation> {
        self.needs.check().map_err(anyhow::Error::msg)?;
        self.limits.check().map_err(anyhow::Error::msg)?;
        let pairs = self.env.iter().map(|pair| {
            let (name, value) =
                pair.split_once('=').with_context(|| format!("--env takes NAME=VALUE, not `{pair}`"))?;
            ensure!(!name.is_empty(), "--env takes NAME=VALUE, not `{pair}`");
            Ok((name.to_owned(), value.to_owned()))
        });
        let (needs, limits) = (self.needs.clone(), self.limits);
        Ok(Implementation { name: name.into(), source, env: pairs.collect::<Result<_>>()?, needs, limits })
    }

    fn derived_name(&self) -> Option<String> {
        let stem = |path: &str| PathBuf::from(path).file_stem().and_then(|stem| slug(&stem.to_string_lossy()));
        let component = self.component.as_ref().and_then(|file| stem(&file.to_string_lossy()));
        let image = || self.image.as_deref().and_then(|reference| slug(image_stem(reference)));
        let program = || self.program.as_deref().and_then(|command| stem(shlex::split(command)?.first()?));
        let url = || {
            self.url
                .as_deref()
                .and_then(|url| running(url).ok())
                .map(|addr: SocketAddr| format!("port-{}", addr.port()))
        };
        component.or_else(image).or_else(program).or_else(url)
    }

    /// One request that must be answered with 200: the question of the start, and the load.
    fn scenario(&self) -> Scenario {
        let step = Step {
            name: format!("GET {}", self.get),
            method: "GET".into(),
            path: self.get.clone(),
            headers: [].into(),
            json: None,
            body: None,
            expect: Expect { status: 200, ..Expect::default() },
            capture: [].into(),
            weight: Some(1),
            probe: true,
        };
        Scenario { summary: format!("answers GET {} with 200", self.get), steps: vec![step], ..Scenario::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quick() -> Quick {
        Quick { get: "/".into(), ..Quick::default() }
    }

    #[test]
    fn a_name_is_made_of_what_is_named_first() {
        let name = |quick: Quick| quick.service().unwrap().name;
        let image = Some("example.org/shop/Basket:dev".to_owned());
        assert_eq!(
            name(Quick { component: Some("out/My_Cart.wasm".into()), image: image.clone(), ..quick() }),
            "my-cart"
        );
        assert_eq!(name(Quick { image, ..quick() }), "basket");
        assert_eq!(name(Quick { program: Some("./bin/cart --port {port}".into()), ..quick() }), "cart");
        assert_eq!(name(Quick { url: Some("http://127.0.0.1:8080".into()), ..quick() }), "port-8080");
        assert_eq!(name(Quick { url: Some("http://127.0.0.1".into()), name: Some("x".into()), ..quick() }), "x");
    }

    #[test]
    fn what_is_running_stands_beside_what_is_given() {
        let quick = Quick {
            url: Some("http://127.0.0.1:9".into()),
            image: Some("cart".into()),
            get: "/healthz".into(),
            ..quick()
        };
        let service = quick.service().unwrap();
        let names: Vec<&str> = service.implementations.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, [GIVEN, RUNNING]);
        assert_eq!(service.scenario.probe().path, "/healthz");
    }

    #[test]
    fn what_cannot_be_measured_is_told() {
        let error = |quick: Quick| format!("{:#}", quick.service().unwrap_err());
        assert!(error(quick()).contains("--component, --program, --image or --url"));
        assert!(
            error(Quick { image: Some("cart".into()), get: "healthz".into(), ..quick() })
                .contains("must begin with `/`")
        );
        assert!(error(Quick { image: Some("cart".into()), env: vec!["A".into()], ..quick() }).contains("NAME=VALUE"));
        let url = Some("http://127.0.0.1:9".to_owned());
        let port = Quick { url: url.clone(), port: Some(1), ..quick() };
        assert!(error(port).contains("--port says where --program or --image listens"));
        assert!(error(Quick { url, env: vec!["A=b".into()], ..quick() }).contains("what runs at --url keeps its own"));
        assert!(
            error(Quick { image: Some("cart".into()), name: Some("A".into()), ..quick() })
                .contains("`A` is not a name")
        );
    }
}
