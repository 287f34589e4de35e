//! The fault of Wasmer around which the reader works.

use wasmer::sys::{EngineBuilder, Singlepass};
use wasmer::{Instance, Module, Store, TypedFunction, imports};

/// What a module with a table and a call through it answers, once another module has filled that table.
fn through_a_table(limits: &str) -> Result<i32, wasmer::RuntimeError> {
    let mut store = Store::new(EngineBuilder::new(Singlepass::new()).engine());
    let module = |store: &Store, text: String| Module::new(store, wat::parse_str(text).unwrap()).unwrap();
    let caller = format!(
        r#"(module (type $f (func (result i32))) (table (export "table") {limits} funcref)
            (func (export "call") (result i32) i32.const 0 call_indirect (type $f)))"#
    );
    let filler = format!(
        r#"(module (import "" "table" (table {limits} funcref)) (func $f (result i32) i32.const 7)
            (elem (i32.const 0) func $f))"#
    );
    let (caller, filler) = (module(&store, caller), module(&store, filler));
    let caller = Instance::new(&mut store, &caller, &imports! {}).unwrap();
    let table = caller.exports.get_table("table").unwrap().clone();
    Instance::new(&mut store, &filler, &imports! { "" => { "table" => table } }).unwrap();
    let call: TypedFunction<(), i32> = caller.exports.get_typed_function(&store, "call").unwrap();
    call.call(&mut store)
}

/// When this fails, Wasmer has been mended, and trampolines may be instantiated as they are.
#[test]
fn what_another_module_writes_into_a_table_that_cannot_grow_is_still_not_seen() {
    assert_eq!(through_a_table("1 2").unwrap(), 7, "a table that can grow is right");
    assert!(through_a_table("1 1").is_err(), "wasmer has been mended: see the module `reader`");
}
