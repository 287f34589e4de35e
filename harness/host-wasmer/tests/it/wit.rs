//! The table of functions against the interfaces' own text, which the other runtime's crate ships.

use std::path::PathBuf;
use std::process::Command;

use tare_host_wasmer::abi::Flat;
use tare_host_wasmer::plan::Callee;
use tare_host_wasmer::wasi::{canonical, is_out_of_reach, resolve, table};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Resolve, Stability, TypeDefKind};

/// Where a package of the lock file has its sources.
fn sources(package: &str) -> PathBuf {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|found| found["name"] == package).expect("it is in the lock file");
    PathBuf::from(found["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

fn flat(ty: WasmType) -> Flat {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => Flat::I32,
        WasmType::I64 | WasmType::PointerOrI64 => Flat::I64,
        other => panic!("no interface has {other:?}"),
    }
}

#[test]
fn every_function_is_offered_with_the_types_that_the_interface_gives_it() {
    let mut wit = Resolve::default();
    wit.push_dir(sources("wasmtime-wasi-http").join("wit")).unwrap();
    for draft in ["config", "keyvalue-draft", "keyvalue-draft2"] {
        wit.push_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../host/wit").join(draft)).unwrap();
    }
    let (mut functions, mut resources) = (0, 0);
    for (id, interface) in &wit.interfaces {
        let Some(name) = wit.id_of(id) else { continue };
        // What components export.
        if name.contains("handler@") && !name.contains("outgoing") || name.contains("/run@") {
            continue;
        }
        let stable = |stability: &Stability| !matches!(stability, Stability::Unstable { .. });
        for (function_name, function) in &interface.functions {
            if !stable(&function.stability) || is_out_of_reach(&name, function_name) {
                continue;
            }
            let offered = resolve(Callee::Function, &name, function_name);
            let offered = offered.unwrap_or_else(|| panic!("{function_name} of {name} is not offered"));
            let signature = wit.wasm_signature(AbiVariant::GuestImport, function);
            assert_eq!(
                offered.params,
                signature.params.iter().copied().map(flat).collect::<Vec<_>>(),
                "{name} {function_name}"
            );
            assert_eq!(offered.result, signature.results.first().copied().map(flat), "{name} {function_name}");
            functions += 1;
        }
        for (type_name, ty) in &interface.types {
            if matches!(wit.types[*ty].kind, TypeDefKind::Resource) && stable(&wit.types[*ty].stability) {
                assert!(resolve(Callee::Drop, &name, type_name).is_some(), "{type_name} of {name} cannot be dropped");
                resources += 1;
            }
        }
    }
    assert_eq!((functions, resources), (table().functions.len(), table().drops.len()), "and no other is");
    assert!(functions > 80, "{functions}");
    assert_eq!(canonical("wasi:http/types@0.2.12"), "wasi:http/types@0.2");
}
