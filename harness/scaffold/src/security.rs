//! The credentials that an operation asks for, as a note: they are never made up.

use oas3::spec::SecurityScheme;
use serde_json::Value;

use crate::document::Document;
use crate::value::{key, line};

/// The most characters of a name.
const SHOWN: usize = 80;

/// What has to be added to the step; `None` if the operation can be asked without credentials.
pub fn demand(document: &Document, operation: &Value) -> Option<String> {
    let all = operation.get("security").or_else(|| document.at("/security"))?.as_array()?;
    let choices: Vec<_> = all.iter().filter_map(Value::as_object).collect();
    // An empty choice says that it can be asked without.
    if choices.iter().any(|choice| choice.is_empty()) {
        return None;
    }
    let first = choices.first()?;
    let added: Vec<String> = first.keys().map(|name| credential(document, name)).collect();
    Some(format!("It asks for credentials, or answers 401: add {}.", added.join(" and ")))
}

/// Where one kind of credential goes.
fn credential(document: &Document, name: &str) -> String {
    let scheme = document.at("/components/securitySchemes").and_then(|schemes| schemes.get(name));
    let header = |name: &str, value: &str| format!("`{} = \"{value}\"` to its `headers`", key(&line(name, SHOWN)));
    match scheme.and_then(|scheme| document.read(scheme).ok()) {
        Some(SecurityScheme::ApiKey { name, location, .. }) => match location.as_str() {
            "query" => format!("`{}=KEY` to the query of its path", line(&name, SHOWN)),
            "cookie" => header("cookie", &format!("{}=KEY", line(&name, SHOWN))),
            _ => header(&name, "KEY"),
        },
        Some(SecurityScheme::Http { scheme, .. }) if scheme.eq_ignore_ascii_case("basic") => {
            header("authorization", "Basic CREDENTIALS")
        }
        Some(SecurityScheme::MutualTls { .. }) => "nothing: TLS is not measured".into(),
        Some(_) => header("authorization", "Bearer TOKEN"),
        None => format!("what `{}` stands for", line(name, SHOWN)),
    }
}
