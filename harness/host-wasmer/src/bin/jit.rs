//! The host with compilers: compiles components when it starts, or ahead for the other host.

fn main() -> std::process::ExitCode {
    tare_host_wasmer::main()
}
