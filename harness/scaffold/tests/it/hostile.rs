//! Whatever stands in a description, the file is read and has a step for every operation that was not left out.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tare_scaffold::{Options, service_toml};

use crate::read::{described, read};

/// Texts with what breaks files: quotes, ends of lines, brackets, marks of comments and of placeholders.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[a-z]{1,5}",
        prop::sample::select(vec![
            "\"",
            "'''",
            "\"\"\"",
            "\n",
            "\r\n",
            "\n[[step]]\n",
            "# ",
            "${",
            "}",
            "{id}",
            "${unique}",
            "\\",
            "\u{0}",
            "\u{7f}",
            "\u{2028}",
            "=",
            "~1",
            "/",
            "?",
            "%",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let status = prop::sample::select(vec!["200", "201", "204", "2XX", "404", "default"]);
    let parameter = (text(), prop::sample::select(vec!["path", "query", "header", "cookie"]), any::<bool>(), value())
        .prop_map(|(name, place, required, example)| json!({ "name": name, "in": place, "required": required, "example": example }));
    let kind = prop_oneof![Just("application/json".to_owned()), Just("text/plain".to_owned()), text()];
    let body = prop::option::of((kind.clone(), value()));
    let parts = (text(), text(), status, prop::collection::vec(parameter, 0..3), body, (kind, value()), any::<bool>());
    parts.prop_map(|(id, summary, status, parameters, body, (kind, answer), is_secured)| {
        let mut operation = json!({
            "operationId": id, "summary": summary, "parameters": parameters,
            "responses": { status: { "description": "", "content": { kind: { "example": answer } } } },
        });
        if let Some((kind, example)) = body {
            operation["requestBody"] = json!({ "content": { kind: { "example": example } } });
        }
        if is_secured {
            operation["security"] = json!([{ summary: [] }]);
        }
        operation
    })
}

fn description() -> impl Strategy<Value = Value> {
    let method = prop::sample::select(vec!["get", "post", "put", "delete", "patch", "head", "options"]);
    let path =
        prop_oneof![text().prop_map(|path| format!("/{path}")), Just("/a".into()), Just("/a/{id}".into()), text()];
    let operations = prop::collection::vec((path, method, operation()), 0..8);
    (operations, text(), text()).prop_map(|(operations, server, secret)| {
        let mut paths = Map::new();
        for (path, method, operation) in operations {
            paths.entry(path).or_insert_with(|| json!({}))[method] = operation;
        }
        paths.insert("/healthz".into(), json!({ "get": { "responses": { "200": { "description": "" } } } }));
        json!({
            "openapi": "3.1.0", "servers": [{ "url": server }], "paths": paths,
            "components": { "securitySchemes": { secret.clone(): { "type": "apiKey", "in": "header", "name": secret } } },
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_file_is_read_whatever_is_described(description in description()) {
        let count: usize = description["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len()).sum();
        let scaffold = service_toml(&described(&description.to_string())).unwrap();
        let service = read(&scaffold.text);
        prop_assert!(service.is_ok(), "{}\n{}", service.unwrap_err(), scaffold.text);
        prop_assert_eq!(service.unwrap().scenario.steps.len() + scaffold.left_out.len(), count);
        prop_assert!(!scaffold.text.contains(|char: char| char.is_control() && char != '\n'));
    }

    #[test]
    fn a_file_is_read_whatever_is_named(component in text(), program in text(), image in text(), port: Option<u16>) {
        let options = Options { name: "a", component: Some(&component), program: Some(&program), image: Some(&image), port, ..Options::default() };
        if let Ok(scaffold) = service_toml(&options) {
            let service = read(&scaffold.text);
            prop_assert!(service.is_ok(), "{}\n{}", service.unwrap_err(), scaffold.text);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in text(), value in value()) {
        for text in [text.clone(), format!("openapi: 3.0.0\n{text}"), json!({ "openapi": "3.1.0", "paths": value }).to_string()] {
            if let Ok(scaffold) = service_toml(&described(&text)) {
                prop_assert!(read(&scaffold.text).is_ok());
            }
        }
    }
}
