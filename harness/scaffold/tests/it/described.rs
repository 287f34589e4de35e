//! What becomes of parts of a description.

use serde_json::{Value, json};
use tare_scaffold::{ScaffoldError, service_toml};

use crate::read::{described, names, service};

fn ok() -> Value {
    json!({ "200": { "description": "" } })
}

/// A description with a health check beside what is given.
fn document(version: &str, paths: Value, components: &Value) -> String {
    let mut paths = paths;
    paths["/healthz"] = json!({ "get": { "operationId": "healthz", "responses": ok() } });
    json!({ "openapi": version, "info": { "title": "", "version": "" }, "paths": paths, "components": components })
        .to_string()
}

fn left_out(paths: Value) -> String {
    service(&described(&document("3.1.0", paths, &json!({})))).1.left_out.join("\n")
}

#[test]
fn the_probe_is_a_health_check_and_no_part_of_the_load() {
    let plain = |id: &str| json!({ "get": { "operationId": id, "responses": ok() } });
    let text =
        document("3.1.0", json!({ "/a": plain("a"), "/ping": plain("ping"), "/z/{id}": plain("z") }), &json!({}));
    let (service, _) = service(&described(&text));
    assert_eq!(names(&service), ["healthz", "a", "ping"]);
    assert_eq!((service.scenario.probe().name.as_str(), service.scenario.probe().weight), ("healthz", None));
}

#[test]
fn a_lonely_probe_is_the_load_too() {
    let (service, _) = service(&described(&document("3.0.0", json!({}), &json!({}))));
    assert_eq!(service.scenario.probe().weight, Some(1));
}

#[test]
fn without_a_probe_there_is_no_file() {
    let paths = json!({ "/a/{id}": { "get": { "responses": ok() } }, "/b": { "get": { "responses": { "204": { "description": "" } } } } });
    let text = json!({ "openapi": "3.1.0", "paths": paths }).to_string();
    let error = service_toml(&described(&text)).unwrap_err();
    assert!(matches!(error, ScaffoldError::Probe(_)));
    assert!(
        error.to_string().contains("`id` has no example") && error.to_string().contains("such as /healthz"),
        "{error}"
    );
    assert_eq!(service_toml(&described("openapi: 3.1.0")).unwrap_err(), ScaffoldError::Empty);
}

#[test]
fn each_operation_left_out_says_why() {
    let post = |body: Value| json!({ "post": { "requestBody": body, "responses": ok() } });
    let body = |kind: &str, media: Value| post(json!({ "content": { kind: media } }));
    let json_body = |example: Value| body("application/json", json!({ "example": example }));
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    let cases = [
        (post(json!({ "$ref": "https://example.org/a.yaml#/b" })), "`https://example.org/a.yaml#/b` is outside"),
        (post(json!({ "$ref": "#/components/no" })), "`#/components/no` leads nowhere"),
        (body("application/json", json!({ "schema": { "type": "string" } })), "its request body has no example"),
        (body("multipart/form-data", json!({})), "a body of `multipart/form-data` is not written"),
        (json_body(json!("${who}")), "a `${`"),
        (json_body(json!("x".repeat(20_000))), "larger than 16384 bytes"),
        (json_body(deep), "or 32 levels"),
        (json!({ "post": { "responses": { "404": { "description": "" } } } }), "no answer of 2xx"),
        (json!({ "post": { "responses": { "default": { "description": "" } } } }), "no answer of 2xx"),
        (json!({ "post": { "parameters": "?", "responses": ok() } }), "its `parameters` are no list"),
        (
            json!({ "post": { "parameters": [{ "name": "a b", "in": "header", "example": 1 }], "responses": ok() } }),
            "`a b` is no header",
        ),
        (
            json!({ "post": { "parameters": [1], "responses": ok() } }),
            "one of its `parameters` cannot be read: invalid type",
        ),
        (json!({ "$ref": "other.yaml#/x" }), "`other.yaml#/x` is outside"),
    ];
    for (item, told) in cases {
        let told_of = left_out(json!({ "/a": item }));
        assert!(told_of.contains(told) && told_of.contains("/a: "), "{told_of} lacks {told}");
    }
    assert!(left_out(json!({ "a": { "get": { "responses": ok() } } })).contains("does not begin with `/`"));
}

#[test]
fn schemas_that_refer_to_themselves_end() {
    let list = json!({ "type": "object", "required": ["next"], "properties": { "next": { "$ref": "#/components/schemas/List" } } });
    let wide: serde_json::Map<String, Value> =
        (0..30).map(|n| (format!("p{n}"), json!({ "$ref": "#/components/schemas/Wide" }))).collect();
    let wide = json!({ "type": "object", "properties": wide });
    for schema in ["List", "Wide"] {
        let body = json!({ "content": { "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } } });
        let paths = json!({ "/a": { "post": { "requestBody": body, "responses": ok() } } });
        let text = document("3.1.0", paths, &json!({ "schemas": { "List": list, "Wide": wide } }));
        let (_, scaffold) = service(&described(&text));
        assert!(
            scaffold.left_out[0].contains("refers to itself") || scaffold.left_out[0].contains("no example"),
            "{:?}",
            scaffold.left_out
        );
    }
}

#[test]
fn the_deepest_schema_that_is_read_needs_no_more_than_a_thread_has() {
    let schema = (0..25).fold(json!({ "example": 1 }), |inner, _| json!({ "properties": { "a": inner } }));
    let text = document("3.1.0", json!({}), &json!({ "schemas": { "A": schema } }));
    let text = text.replace(r#""/healthz":{"#, r##""/a":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}},"responses":{"200":{}}}},"/healthz":{"##);
    let (_, scaffold) = service(&described(&text));
    assert_eq!(scaffold.left_out, ["POST /a: its request body has no example: its schema has no example"]);
    let too_deep = text.replace(r#"{"example":1}"#, &format!("{}1{}", "[".repeat(64), "]".repeat(64)));
    assert_eq!(service_toml(&described(&too_deep)).unwrap_err(), ScaffoldError::Depth(64));
}

#[test]
fn what_may_be_missing_is_left_out_of_a_circle() {
    let node =
        json!({ "properties": { "name": { "example": "a" }, "parent": { "$ref": "#/components/schemas/Node" } } });
    let body = json!({ "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Node" } } } });
    let paths = json!({ "/a": { "post": { "requestBody": body, "responses": ok() } } });
    let (service, _) = service(&described(&document("3.1.0", paths, &json!({ "schemas": { "Node": node } }))));
    assert_eq!(service.scenario.steps[1].json, Some(json!({ "name": "a" })));
}

#[test]
fn bodies_that_toml_cannot_hold_are_sent_as_text() {
    let example = json!({ "a": null, "b": u64::MAX });
    let body = json!({ "content": { "application/json": { "example": example } } });
    let paths = json!({ "/a": { "post": { "operationId": "a", "requestBody": body, "responses": ok() } } });
    let (service, _) = service(&described(&document("3.1.0", paths, &json!({}))));
    let step = &service.scenario.steps[1];
    assert_eq!(serde_json::from_str::<Value>(step.body.as_ref().unwrap()).unwrap(), example);
    assert_eq!(step.headers["content-type"], "application/json");
}

#[test]
fn the_lowest_successful_status_is_expected() {
    let get = |id: &str, responses: Value| json!({ "get": { "operationId": id, "responses": responses } });
    let paths = json!({
        "/a": get("a", json!({ "404": {}, "206": {}, "202": {}, "default": {} })),
        "/b": get("b", json!({ "2XX": {} })),
    });
    let (service, scaffold) = service(&described(&document("3.1.0", paths, &json!({}))));
    let statuses: Vec<u16> = service.scenario.steps.iter().map(|step| step.expect.status).collect();
    assert_eq!((names(&service), statuses), (vec!["healthz", "a", "b"], vec![200, 202, 200]));
    assert_eq!(scaffold.text.matches("200 is a guess").count(), 1);
}

#[test]
fn a_get_needs_no_body_that_is_not_required() {
    let get = |body: Value| json!({ "get": { "operationId": "a", "requestBody": body, "responses": ok() } });
    let empty = json!({ "content": { "application/json": { "schema": { "properties": {} } } } });
    let (service, _) = service(&described(&document("3.0.0", json!({ "/a": get(empty.clone()) }), &json!({}))));
    assert_eq!((names(&service), service.scenario.steps[1].raw_body()), (vec!["healthz", "a"], None));
    let mut required = empty;
    required["required"] = json!(true);
    assert!(left_out(json!({ "/a": get(required) })).contains("its request body has no example"));
}

#[test]
fn forms_and_texts_are_bodies() {
    let post = |kind: &str, example: Value| json!({ "post": { "requestBody": { "content": { kind: { "example": example } } }, "responses": ok() } });
    let form = post("application/x-www-form-urlencoded", json!({ "a": "x y" }));
    let paths = json!({ "/f": form, "/t": post("text/plain; charset=utf-8", json!("a\nb")) });
    let (service, _) = service(&described(&document("3.1.0", paths, &json!({}))));
    let [_, form, text] = &service.scenario.steps[..] else { panic!("three steps") };
    assert_eq!((form.body.as_deref(), text.body.as_deref()), (Some("a=x%20y"), Some("a\nb")));
    assert_eq!((form.weight, text.headers["content-type"].as_str()), (None, "text/plain"));
}

#[test]
fn what_was_made_is_read_and_what_is_read_is_not_deleted() {
    let made = json!({ "201": { "description": "", "content": { "application/json": { "example": { "id": 1, "part-id": "x" } } } } });
    let create = |id: &str| json!({ "operationId": id, "responses": made });
    let op = |id: &str| json!({ "operationId": id, "responses": ok() });
    let paths = json!({
        "/things": { "post": create("make") },
        "/things/{thingId}": { "get": op("read"), "delete": op("delete") },
        "/things/{thingId}/parts": { "post": create("make part") },
        "/things/{thingId}/parts/{part-id}": { "delete": op("delete part") },
    });
    let (service, scaffold) = service(&described(&document("3.1.0", paths, &json!({}))));
    assert_eq!(names(&service), ["healthz", "make", "read", "make part", "delete part"]);
    let path = |at: usize| service.scenario.steps[at].path.as_str();
    assert_eq!((path(2), path(4)), ("/things/${things_id}", "/things/${things_id}/parts/${parts_part_id}"));
    assert_eq!(service.scenario.steps[3].capture["parts_part_id"], "/part-id");
    assert_eq!(service.scenario.steps[4].weight, None);
    assert_eq!(scaffold.left_out.len(), 1);
    assert!(scaffold.text.contains("# name = \"delete\"\n# method = \"DELETE\"\n"), "{}", scaffold.text);
}

#[test]
fn a_description_of_thousands_of_operations_gives_a_file_that_is_read() {
    let item = |n: usize| (format!("/a{n:05}"), json!({ "get": { "responses": ok() } }));
    let paths: serde_json::Map<String, Value> = (0..5000).map(item).collect();
    let (service, scaffold) = service(&described(&document("3.1.0", paths.into(), &json!({}))));
    assert_eq!(service.scenario.steps.len() + scaffold.left_out.len(), 5001);
    assert!(scaffold.left_out[0].contains("holds 300 steps already") && scaffold.text.len() < 1 << 20);
}
