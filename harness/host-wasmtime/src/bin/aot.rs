//! The host without the compiler: serves components that were compiled ahead.

fn main() -> std::process::ExitCode {
    tare_host_wasmtime::main()
}
