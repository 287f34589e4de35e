//! Which addresses of a port processes listen on.

use super::owner::pids;

/// The state of a listening socket in /proc/net/tcp.
const LISTEN: &str = "0A";

/// Whether anything in the network of a process listens on a port at an address that is not a loopback address. False where
/// the kernel does not tell.
pub fn reachable_from_elsewhere(pid: i32, port: u16) -> bool {
    let tables =
        ["tcp", "tcp6"].map(|table| fs_err::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default());
    tables.iter().any(|table| listens_beyond_loopback(table, port))
}

/// The process that listens on a port of this machine's network; `None` where none can be seen.
pub fn listener_of(port: u16) -> Option<i32> {
    let tables = ["tcp", "tcp6"].map(|table| fs_err::read_to_string(format!("/proc/net/{table}")).unwrap_or_default());
    let inode = tables.iter().find_map(|table| inode_of(table, port))?;
    let socket = format!("socket:[{inode}]");
    let holds = |pid: &i32| {
        let open = fs_err::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().filter_map(Result::ok);
        open.filter_map(|file| fs_err::read_link(file.path()).ok()).any(|target| target.as_os_str() == socket.as_str())
    };
    pids().find(holds)
}

/// The inode of a listening socket, the tenth field of `proc_pid_net(5)`.
fn inode_of(table: &str, port: u16) -> Option<&str> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let its_port = fields.get(1)?.split_once(':')?.1;
        let is_it = fields.get(3) == Some(&LISTEN) && u16::from_str_radix(its_port, 16) == Ok(port);
        is_it.then(|| fields.get(9).copied()).flatten()
    })
}

/// The same of a table as of `proc_pid_net(5)`: local addresses are hex digits of each 4 bytes in host order.
fn listens_beyond_loopback(table: &str, port: u16) -> bool {
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (Some(local), Some(_), Some(state)) = (fields.next(), fields.next(), fields.next()) else { return false };
        let Some((address, its_port)) = local.split_once(':') else { return false };
        state == LISTEN && u16::from_str_radix(its_port, 16) == Ok(port) && !is_loopback(address)
    })
}

fn is_loopback(address: &str) -> bool {
    let loopback_6 = format!("{}{:08X}", "0".repeat(24), u32::from_ne_bytes([0, 0, 0, 1]));
    let v4_in_6 = format!("{}{:08X}", "0".repeat(16), u32::from_ne_bytes([0, 0, 0xff, 0xff]));
    let v4 = address.strip_prefix(&v4_in_6).unwrap_or(address);
    let first = u32::from_str_radix(v4, 16).map(|bytes| bytes.to_ne_bytes()[0]);
    address == loopback_6 || (v4.len() == 8 && first == Ok(127))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_address_that_others_can_reach_is_told_from_the_loopback() {
        let pid = std::process::id().cast_signed();
        for (address, reachable) in [("127.0.0.1:0", false), ("0.0.0.0:0", true), ("[::1]:0", false), ("[::]:0", true)]
        {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            assert_eq!(reachable_from_elsewhere(pid, listener.local_addr().unwrap().port()), reachable, "{address}");
        }
    }

    #[test]
    fn who_listens_on_a_port_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(listener_of(port), Some(std::process::id().cast_signed()));
        drop(listener);
        assert_eq!(listener_of(port), None);
    }

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        let line = "  0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1";
        let table = |line: &str| format!("heading\n{line}\n");
        assert!(listens_beyond_loopback(&table(line), 8080));
        assert!(!listens_beyond_loopback(&table(line), 8081));
        assert!(!listens_beyond_loopback(&table(&line.replace(" 0A ", " 01 ")), 8080));
        assert!(!listens_beyond_loopback("nonsense", 8080));
    }
}
