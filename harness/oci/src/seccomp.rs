//! The system calls that a container may make: those that Docker's default profile permits without capabilities.
//!
//! Only in the machine's native form: the 32-bit forms on a 64-bit machine end the caller. A filter for all of them is
//! three times as long, and nothing that is measured here makes them.

use libcontainer::oci_spec::OciSpecError;
use libcontainer::oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder, LinuxSeccompBuilder,
    LinuxSeccompOperator, LinuxSyscall, LinuxSyscallBuilder,
};

type Built<T> = std::result::Result<T, OciSpecError>;

/// Permitted with any arguments. Some exist on one architecture only and are left out on others.
const PERMITTED: &str = "\
    accept accept4 access adjtimex alarm bind brk capget capset chdir chmod chown clock_adjtime clock_getres \
    clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create \
    epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit \
    exit_group faccessat faccessat2 fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown \
    fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync \
    ftruncate futex futex_waitv futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 \
    getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom \
    getresgid getresuid getrlimit getrusage getsockname getsockopt gettid gettimeofday getuid getxattr \
    inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents \
    io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset \
    landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek \
    lsetxattr lstat madvise membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock \
    mlock2 mlockall mmap mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap \
    msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open \
    openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll \
    prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6 ptrace \
    pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg \
    remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction \
    rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo \
    sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam \
    sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler \
    sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list \
    set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid \
    setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown \
    sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink symlinkat sync sync_file_range \
    syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime \
    timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime \
    utimensat utimes vfork vmsplice wait4 waitid write writev";

/// Those of x86-64 only, beside the ones above.
const PERMITTED_X86: &str = "arch_prctl modify_ldt";

/// `ENOSYS`: the caller takes the older way, whose arguments a filter can see.
const NO_SUCH_CALL: u32 = 38;
/// The flags of `clone` that make namespaces, `CLONE_NEWNS` to `CLONE_NEWNET` and `CLONE_NEWCGROUP`.
const NAMESPACES: u64 = 0x7e02_0000;
/// `AF_VSOCK`, sockets between a virtual machine and its host, which no namespace separates.
const VSOCK: u64 = 40;
/// What `personality` may set: Linux, Linux of 32 bits, both with the system's old name; and the question which it is.
const PERSONALITIES: [u64; 5] = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// The profile. What it does not permit fails with `EPERM`.
pub(crate) fn profile() -> Built<LinuxSeccomp> {
    use LinuxSeccompOperator::{ScmpCmpEq, ScmpCmpMaskedEq, ScmpCmpNe};
    let x86 = if cfg!(target_arch = "x86_64") { PERMITTED_X86 } else { "" };
    let names = PERMITTED.split_whitespace().chain(x86.split_whitespace()).map(str::to_owned).collect::<Vec<_>>();
    let mut calls = vec![
        LinuxSyscallBuilder::default().names(names).action(LinuxSeccompAction::ScmpActAllow).build()?,
        LinuxSyscallBuilder::default()
            .names(vec!["clone3".to_owned()])
            .action(LinuxSeccompAction::ScmpActErrno)
            .errno_ret(NO_SUCH_CALL)
            .build()?,
        // None of these flags. The library takes the value for what the flags under the mask must be and the second
        // value for the mask, where runc takes them the other way round.
        permitted_if("clone", argument(ScmpCmpMaskedEq, 0, Some(NAMESPACES))?)?,
        permitted_if("socket", argument(ScmpCmpNe, VSOCK, None)?)?,
    ];
    for persona in PERSONALITIES {
        calls.push(permitted_if("personality", argument(ScmpCmpEq, persona, None)?)?);
    }
    LinuxSeccompBuilder::default()
        .default_action(LinuxSeccompAction::ScmpActErrno)
        .architectures(vec![Arch::ScmpArchNative])
        .syscalls(calls)
        .build()
}

fn permitted_if(name: &str, first: LinuxSeccompArg) -> Built<LinuxSyscall> {
    LinuxSyscallBuilder::default()
        .names(vec![name.to_owned()])
        .action(LinuxSeccompAction::ScmpActAllow)
        .args(vec![first])
        .build()
}

/// A condition on the first argument.
fn argument(op: LinuxSeccompOperator, value: u64, second: Option<u64>) -> Built<LinuxSeccompArg> {
    let argument = LinuxSeccompArgBuilder::default().index(0_usize).op(op).value(value);
    match second {
        Some(second) => argument.value_two(second),
        None => argument,
    }
    .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_the_kernel_of_the_host_is_not_permitted() {
        let permitted: Vec<&str> = PERMITTED.split_whitespace().collect();
        assert!(permitted.is_sorted());
        for call in
            ["bpf", "mount", "unshare", "setns", "keyctl", "kexec_load", "init_module", "io_uring_setup", "clone"]
        {
            assert!(!permitted.contains(&call), "{call}");
        }
    }
}
