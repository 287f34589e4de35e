//! Memory and CPU time of a container from its cgroup's files: the engine's own `stats` call takes a second or two.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use fs_err as fs;

/// Where a process is accounted for: one group on cgroup v2, one for each controller on v1 and hybrid systems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroup {
    memory: Group,
    cpu: Group,
}

/// A directory of one of the hierarchies.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    v2: bool,
    path: PathBuf,
}

impl Cgroup {
    /// The cgroup that a process is in. Fails where the process is gone or its hierarchies are not mounted.
    pub fn of(pid: i32) -> Result<Self> {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        let find = |controller| {
            group(&groups, &mounts, controller)
                .with_context(|| format!("no mounted cgroup of process {pid} accounts for its {controller}"))
        };
        Ok(Self { memory: find("memory")?, cpu: find("cpuacct")? })
    }

    /// Memory in use in bytes, less the page cache that the kernel would give up first (inactive file pages): what the
    /// engine's `stats` shows.
    pub fn memory_usage(&self) -> Result<u64> {
        let Group { v2, path } = &self.memory;
        let (usage, inactive) =
            if *v2 { ("memory.current", "inactive_file") } else { ("memory.usage_in_bytes", "total_inactive_file") };
        let usage = number(&path.join(usage))?;
        let stat = path.join("memory.stat");
        let inactive = field(&fs::read_to_string(&stat)?, inactive)
            .with_context(|| format!("{} has no {inactive}", stat.display()))?;
        Ok(usage.saturating_sub(inactive))
    }

    /// The most that was ever charged to the group, in bytes, file cache included. Kernels before 5.19 do not tell it on v2.
    pub fn memory_high_water(&self) -> Result<u64> {
        let Group { v2, path } = &self.memory;
        number(&path.join(if *v2 { "memory.peak" } else { "memory.max_usage_in_bytes" }))
    }

    /// CPU time of all processes that are or were in the group, in user and kernel mode.
    pub fn cpu_time(&self) -> Result<Duration> {
        let Group { v2, path } = &self.cpu;
        if !v2 {
            return Ok(Duration::from_nanos(number(&path.join("cpuacct.usage"))?));
        }
        let stat = path.join("cpu.stat");
        let usage = field(&fs::read_to_string(&stat)?, "usage_usec");
        usage.map(Duration::from_micros).with_context(|| format!("{} has no usage_usec", stat.display()))
    }

    /// How many CPUs at a time the group may use, by the narrowest quota of it and of the groups that it lies in; `None` where
    /// there is no quota.
    pub fn cpu_quota(&self) -> Option<f64> {
        let Group { v2, path } = &self.cpu;
        let quota = |group: &Path| if *v2 { quota_v2(group) } else { quota_v1(group) };
        path.ancestors().filter_map(quota).reduce(f64::min)
    }

    /// The processes in the group.
    pub fn processes(&self) -> Result<Vec<i32>> {
        let path = self.memory.path.join("cgroup.procs");
        let text = fs::read_to_string(&path)?;
        let pids: Result<_, _> = text.lines().map(str::parse).collect();
        pids.with_context(|| format!("{} holds something else than process ids", path.display()))
    }
}

/// The cgroup hierarchy of this machine for the record: `v1`, `v2`, `hybrid` (v1 controllers beside v2) or `none`.
pub fn hierarchy() -> Result<&'static str> {
    Ok(hierarchy_of(&fs::read_to_string("/proc/self/mountinfo")?))
}

fn hierarchy_of(mounts: &str) -> &'static str {
    let v1 = mounts.lines().filter_map(Mount::parse).any(|mount| mount.holds("memory"));
    let v2 = mounts.lines().filter_map(Mount::parse).any(|mount| mount.kind == "cgroup2");
    match (v1, v2) {
        (true, false) => "v1",
        (false, true) => "v2",
        (true, true) => "hybrid",
        (false, false) => "none",
    }
}

/// Where the hierarchies of this machine are mounted.
pub fn roots() -> Result<Vec<PathBuf>> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    Ok(roots_of(&mounts).map(PathBuf::from).collect())
}

fn roots_of(mounts: &str) -> impl Iterator<Item = &str> {
    let mounts = mounts.lines().filter_map(Mount::parse);
    mounts.filter(|mount| ["cgroup", "cgroup2"].contains(&mount.kind)).map(|mount| mount.point)
}

/// Finds the directory of a controller for a process, from the text of its /proc/PID/cgroup and of a mountinfo: the v1
/// hierarchy that has the controller, or the unified one.
fn group(groups: &str, mounts: &str, controller: &str) -> Option<Group> {
    // Lines are `id:controllers:path`; the unified hierarchy is `0::path`.
    let lines = || groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let v1 = lines().find(|(controllers, _)| controllers.split(',').any(|name| name == controller));
    let v2 = v1.is_none();
    let (_, path) = v1.or_else(|| lines().find(|(controllers, _)| controllers.is_empty()))?;
    let mut mounts = mounts.lines().filter_map(Mount::parse);
    mounts.find_map(|mount| {
        let right = if v2 { mount.kind == "cgroup2" } else { mount.holds(controller) };
        let below = Path::new(path).strip_prefix(mount.root).ok().filter(|_| right)?;
        Some(Group { v2, path: Path::new(mount.point).join(below) })
    })
}

/// A line of a mountinfo, as far as it matters here.
struct Mount<'a> {
    /// The directory of the hierarchy that is mounted.
    root: &'a str,
    /// Where it is mounted.
    point: &'a str,
    /// The file system: `cgroup` for v1, `cgroup2`.
    kind: &'a str,
    /// The file system's options; on v1 they name the controllers.
    options: &'a str,
}

impl<'a> Mount<'a> {
    /// Reads the fields as `proc_pid_mountinfo(5)` gives them.
    fn parse(line: &'a str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let mut system = system.split(' ');
        let (root, point, kind) = (mount.next()?, mount.next()?, system.next()?);
        Some(Self { root, point, kind, options: system.nth(1)? })
    }

    fn holds(&self, controller: &str) -> bool {
        self.kind == "cgroup" && self.options.split(',').any(|option| option == controller)
    }
}

/// `cpu.max` holds the time that may be used in a period and the period, in microseconds; `max` is no quota.
fn quota_v2(group: &Path) -> Option<f64> {
    let text = fs::read_to_string(group.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    Some(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?)
}

/// The same in two files, where -1 is no quota.
fn quota_v1(group: &Path) -> Option<f64> {
    let read = |name: &str| fs::read_to_string(group.join(name)).ok()?.trim().parse::<f64>().ok();
    Some(read("cpu.cfs_quota_us").filter(|quota| *quota > 0.0)? / read("cpu.cfs_period_us")?)
}

fn number(path: &Path) -> Result<u64> {
    let text = fs::read_to_string(path)?;
    text.trim().parse().with_context(|| format!("{} holds no number: `{}`", path.display(), text.trim()))
}

/// The value of a `name value` line.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str = "25 30 0:24 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    const V1: &str = "\
20 1 254:0 / / rw,relatime - ext4 /dev/root rw
31 20 0:27 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw,mode=755
32 31 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 master:2 - cgroup cgroup rw,cpu,cpuacct
33 31 0:29 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
";
    const HYBRID: &str = "34 31 0:30 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw\n";

    fn found(groups: &str, mounts: &str, controller: &str) -> (bool, String) {
        let group = group(groups, mounts, controller).unwrap();
        (group.v2, group.path.to_str().unwrap().to_owned())
    }

    #[test]
    fn on_v2_both_are_in_the_one_group() {
        let groups = "0::/system.slice/docker-abc.scope\n";
        let expected = (true, "/sys/fs/cgroup/system.slice/docker-abc.scope".to_owned());
        assert_eq!(found(groups, V2, "memory"), expected);
        assert_eq!(found(groups, V2, "cpuacct"), expected);
    }

    #[test]
    fn on_v1_and_hybrid_each_controller_has_its_own() {
        let groups = "9:name=systemd:/x\n4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/elsewhere\n";
        for mounts in [V1.to_owned(), V1.to_owned() + HYBRID, HYBRID.to_owned() + V1] {
            assert_eq!(found(groups, &mounts, "memory"), (false, "/sys/fs/cgroup/memory/docker/abc".into()));
            assert_eq!(found(groups, &mounts, "cpuacct"), (false, "/sys/fs/cgroup/cpu,cpuacct/docker/abc".into()));
        }
    }

    #[test]
    fn a_hierarchy_mounted_from_below_its_root_is_followed() {
        let mounts = V2.replace("0:24 / /", "0:24 /outer /");
        assert_eq!(found("0::/outer/docker/abc", &mounts, "memory").1, "/sys/fs/cgroup/docker/abc");
        assert_eq!(group("0::/other/abc", &mounts, "memory"), None);
        assert_eq!(group("4:memory:/a\n", V2, "memory"), None);
    }

    #[test]
    fn the_hierarchy_is_named() {
        assert_eq!(hierarchy_of(V2), "v2");
        assert_eq!(hierarchy_of(V1), "v1");
        assert_eq!(hierarchy_of(&(V1.to_owned() + HYBRID)), "hybrid");
        assert_eq!(hierarchy_of(""), "none");
        let mounts = V1.to_owned() + HYBRID;
        let roots: Vec<_> = roots_of(&mounts).map(|root| root.rsplit('/').next().unwrap()).collect();
        assert_eq!(roots, ["cpu,cpuacct", "memory", "unified"]);
    }

    #[test]
    fn fields_are_matched_whole() {
        let stat = "inactive_file 4096\ntotal_inactive_file 8192\nusage_usec 1500\n";
        assert_eq!(field(stat, "inactive_file"), Some(4096));
        assert_eq!(field(stat, "total_inactive_file"), Some(8192));
        assert_eq!(field(stat, "usage"), None);
    }

    #[test]
    fn the_narrowest_quota_of_all_groups_counts() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("outer/inner");
        fs::create_dir_all(&inner).unwrap();
        let quota = |v2| {
            let group = Group { v2, path: inner.clone() };
            Cgroup { memory: group.clone(), cpu: group }.cpu_quota()
        };
        let write = |folder: &str, name: &str, text: &str| fs::write(dir.path().join(folder).join(name), text).unwrap();
        write("outer/inner", "cpu.max", "max 100000\n");
        write("outer/inner", "cpu.cfs_quota_us", "-1\n");
        assert_eq!([quota(true), quota(false)], [None, None]);
        write("outer", "cpu.max", "150000 100000\n");
        write("outer", "cpu.cfs_quota_us", "50000\n");
        write("outer", "cpu.cfs_period_us", "100000\n");
        assert_eq!([quota(true), quota(false)], [Some(1.5), Some(0.5)]);
    }

    /// Both versions' files, as the kernel writes them.
    #[test]
    fn usage_is_less_the_inactive_file_pages() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("memory.usage_in_bytes", "10000\n");
        write("memory.current", "20000\n");
        write("memory.stat", "anon 5000\ninactive_file 4096\ntotal_inactive_file 8192\n");
        write("memory.max_usage_in_bytes", "30000\n");
        write("memory.peak", "40000\n");
        write("cpuacct.usage", "1234567890\n");
        write("cpu.stat", "usage_usec 1500\nuser_usec 1000\n");
        let cgroup = |v2| {
            let group = Group { v2, path: dir.path().to_owned() };
            Cgroup { memory: group.clone(), cpu: group }
        };
        assert_eq!(cgroup(false).memory_usage().unwrap(), 10_000 - 8192);
        assert_eq!(cgroup(true).memory_usage().unwrap(), 20_000 - 4096);
        assert_eq!(cgroup(false).memory_high_water().unwrap(), 30_000);
        assert_eq!(cgroup(true).memory_high_water().unwrap(), 40_000);
        assert_eq!(cgroup(false).cpu_time().unwrap(), Duration::from_nanos(1_234_567_890));
        assert_eq!(cgroup(true).cpu_time().unwrap(), Duration::from_micros(1500));
    }
}
