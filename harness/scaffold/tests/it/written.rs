//! The files as they are written.

use tare_runner::workload::Source;
use tare_scaffold::{Options, ScaffoldError, service_toml};

use crate::read::{described, names, read, service};

const SHOP: &str = include_str!("shop.yaml");

#[test]
fn from_nothing() {
    let (service, scaffold) = service(&Options { name: "shop", ..Options::default() });
    assert_eq!((service.name.as_str(), names(&service)), ("shop", vec!["root"]));
    assert_eq!(scaffold.left_out, [""; 0]);
    insta::assert_snapshot!(scaffold.text);
}

#[test]
fn from_a_component_and_an_image() {
    let options = Options {
        name: "shop",
        component: Some("out/shop.wasm"),
        image: Some("shop:dev"),
        port: Some(3000),
        ..Options::default()
    };
    let (service, scaffold) = service(&options);
    let Source::Given(given) = &service.implementations[0].source else { panic!("it is given") };
    assert!(given.component.is_some() && given.image.is_some() && given.program.is_none());
    assert_eq!(given.port, Some(3000));
    insta::assert_snapshot!(scaffold.text);
}

#[test]
fn from_a_description() {
    let (_, scaffold) = service(&described(SHOP));
    insta::assert_snapshot!(format!("{}\n{}", scaffold.text, scaffold.left_out.join("\n")));
}

#[test]
fn a_program_is_taken_as_it_is() {
    let program = "./shop --listen {addr} 'a \"b\" \\ c'";
    let (service, _) = service(&Options { name: "shop", program: Some(program), ..Options::default() });
    let Source::Given(given) = &service.implementations[0].source else { panic!("it is given") };
    let command = &given.program.as_ref().unwrap().command;
    assert_eq!(command[..], ["./shop", "--listen", "{addr}", "a \"b\" \\ c"]);
    assert!(given.component.is_none());
}

#[test]
fn what_cannot_be_named_is_told() {
    let error = |options: Options<'_>| service_toml(&Options { name: "shop", ..options }).unwrap_err();
    for get in ["healthz", "", "/a b", "/{id}", "/\"", "/\n"] {
        assert_eq!(error(Options { get, ..Options::default() }), ScaffoldError::Path(get.into()));
    }
    let none = Options::default();
    assert_eq!(error(Options { program: Some("a 'b"), ..none }), ScaffoldError::Program("a 'b".into()));
    assert_eq!(error(Options { program: Some(" "), ..none }), ScaffoldError::Program(String::new()));
    assert_eq!(error(Options { image: Some("a b"), ..none }), ScaffoldError::Image("a b".into()));
    assert_eq!(error(Options { component: Some(""), ..none }), ScaffoldError::Component);
}

#[test]
fn what_the_scaffold_takes_for_an_image_is_what_the_reader_does() {
    for image in ["a", "a:b", "r.example:5000/a@sha256:00", "a b", "", "a'", "a$", "ä", "a\n", "{a}"] {
        let written = service_toml(&Options { name: "shop", image: Some(image), ..Options::default() });
        let text = format!(
            "name = \"a\"\n[implementation.a]\nimage = {}\n[[step]]\nname = \"a\"\nmethod = \"GET\"\npath = \"/\"\nprobe = true\nweight = 1\nexpect = {{ status = 200 }}",
            serde_json::Value::from(image)
        );
        assert_eq!(written.is_ok(), read(&text).is_ok(), "{image}");
    }
}
