//! The host without compilers: serves components that were compiled ahead.

fn main() -> std::process::ExitCode {
    tare_host_wasmer::main()
}
