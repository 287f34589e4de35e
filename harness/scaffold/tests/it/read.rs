//! The file as the runner reads it.

use tare_runner::Service;
use tare_runner::workload::load_given as load;
use tare_scaffold::{Options, Scaffold, service_toml};

/// Options with an image, and a description.
pub fn described(openapi: &str) -> Options<'_> {
    Options { name: "shop", image: Some("shop:dev"), openapi: Some(openapi), ..Options::default() }
}

/// Reads a text as the runner does.
pub fn read(text: &str) -> Result<Service, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("service.toml");
    fs_err::write(&file, text).unwrap();
    load(&file).map_err(|error| format!("{error:#}"))
}

/// Writes a file and reads it.
pub fn service(options: &Options<'_>) -> (Service, Scaffold) {
    let scaffold = service_toml(options).unwrap();
    let service = read(&scaffold.text).unwrap_or_else(|error| panic!("{error}\n{}", scaffold.text));
    (service, scaffold)
}

/// The steps' names.
pub fn names(service: &Service) -> Vec<&str> {
    service.scenario.steps.iter().map(|step| step.name.as_str()).collect()
}
