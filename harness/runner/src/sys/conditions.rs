//! What of the machine's state moves numbers: clock, heat, and others who use it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::finding::Finding;
use super::sampling::{CpuTimes, STEAL_LIMIT};

/// How long others are watched before a run.
const WATCHED: Duration = Duration::from_millis(500);

/// The share of all CPU time that others may use before a run is not to be believed.
const BUSY_LIMIT: f64 = 0.05;

/// The state of the machine, as far as the kernel tells; by name.
pub fn conditions() -> BTreeMap<String, String> {
    let mut found = clock(Path::new("/sys/devices/system/cpu"));
    found.extend(
        temperature(Path::new("/sys/class/thermal"))
            .map(|degrees| ("temperature".to_owned(), format!("{degrees:.0} °C at the hottest sensor"))),
    );
    let virtual_machine = fs_err::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" hypervisor"));
    found.insert("virtual machine".into(), if virtual_machine { "yes" } else { "no" }.into());
    found.extend(moves().map(|moves| ("cgroup option favordynmods".to_owned(), moves)));
    found
}

/// Whether the kernel is told to be quick where processes move between cgroups, as every start of a container wants (it takes a
/// lock of all processes otherwise, which is most of that start); some distributions set it.
fn moves() -> Option<String> {
    let mounts = fs_err::read_to_string("/proc/self/mountinfo").ok()?;
    let mut cgroups = mounts.lines().filter(|mount| mount.contains(" - cgroup")).peekable();
    cgroups.peek()?;
    Some(if cgroups.all(|mount| mount.contains("favordynmods")) { "on" } else { "off" }.to_owned())
}

/// Frequency governor, turbo, simultaneous threads, and how often a core was slowed for its heat.
fn clock(cpus: &Path) -> BTreeMap<String, String> {
    let read = |path: &str| fs_err::read_to_string(cpus.join(path)).ok().map(|text| text.trim().to_owned());
    let mut found = BTreeMap::new();
    let cores: Vec<String> =
        (0..4096).map(|index| format!("cpu{index}")).take_while(|core| cpus.join(core).is_dir()).collect();
    let mut governors: Vec<String> =
        cores.iter().filter_map(|core| read(&format!("{core}/cpufreq/scaling_governor"))).collect();
    governors.sort();
    governors.dedup();
    if !governors.is_empty() {
        found.insert("frequency governor".into(), governors.join(", "));
    }
    let on = |on: bool| if on { "on" } else { "off" }.to_owned();
    // Intel's driver tells when it is off, the others when it is on.
    let turbo =
        read("intel_pstate/no_turbo").map(|off| off == "0").or_else(|| read("cpufreq/boost").map(|boost| boost == "1"));
    found.extend(turbo.map(|turbo| ("turbo".to_owned(), on(turbo))));
    found.extend(read("smt/active").map(|active| ("simultaneous threads".to_owned(), on(active == "1"))));
    let throttled =
        cores.iter().filter_map(|core| read(&format!("{core}/thermal_throttle/core_throttle_count"))?.parse().ok());
    let throttled: Vec<u64> = throttled.collect();
    if !throttled.is_empty() {
        found.insert("slowed for heat since the start".into(), format!("{} times", throttled.iter().sum::<u64>()));
    }
    found
}

/// The highest temperature of all sensors, in degrees Celsius.
fn temperature(zones: &Path) -> Option<f64> {
    let zones = fs_err::read_dir(zones).ok()?.filter_map(Result::ok);
    let millidegrees =
        zones.filter_map(|zone| fs_err::read_to_string(zone.path().join("temp")).ok()?.trim().parse().ok());
    millidegrees.reduce(f64::max).map(|highest: f64| highest / 1000.0)
}

/// Whether the machine can be believed now. Watches it for a moment.
pub async fn findings() -> Vec<Finding> {
    let then = CpuTimes::now();
    tokio::time::sleep(WATCHED).await;
    let watched = CpuTimes::now().zip(then).map(|(now, then)| now - then);
    let mut findings = vec![watched.map_or_else(
        || Finding::warning("other work", "the kernel does not tell", "make sure that the machine is idle"),
        |times| others(times.busy_share(), times.stolen_share()),
    )];
    findings.extend(governor(conditions().get("frequency governor").map(String::as_str)));
    findings
}

fn others(busy: f64, stolen: f64) -> Finding {
    let detail = format!(
        "{:.1} % of all CPU time is in use, {:.1} % is taken by other virtual machines, load average {:.2}",
        busy * 100.0,
        stolen * 100.0,
        sysinfo::System::load_average().one
    );
    if busy > BUSY_LIMIT || stolen > STEAL_LIMIT {
        return Finding::warning("other work", detail, "wait until the machine is quiet, or mistrust times and rates");
    }
    Finding::good("other work", detail)
}

/// Nothing where the kernel leaves the clock to the processor or the hypervisor.
fn governor(governor: Option<&str>) -> Option<Finding> {
    let what = "CPU clock";
    let governor = governor?;
    if governor == "performance" {
        return Some(Finding::good(what, "governor performance"));
    }
    Some(Finding::warning(
        what,
        format!("governor {governor}: the clock follows the load, so that what comes first is slower"),
        "as root, `cpupower frequency-set -g performance` while you measure",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::finding::Level;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    #[test]
    fn the_state_of_the_clock_is_read_where_there_is_one() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(clock(root.path()), BTreeMap::new());
        for (path, text) in [
            ("cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("cpu1/cpufreq/scaling_governor", "powersave\n"),
            ("cpu0/thermal_throttle/core_throttle_count", "3\n"),
            ("cpu1/thermal_throttle/core_throttle_count", "4\n"),
            ("intel_pstate/no_turbo", "0\n"),
            ("smt/active", "1\n"),
        ] {
            write(root.path(), path, text);
        }
        let found = clock(root.path());
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("frequency governor", "powersave"),
            ("simultaneous threads", "on"),
            ("slowed for heat since the start", "7 times"),
            ("turbo", "on"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_hottest_sensor_counts() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(temperature(root.path()), None);
        write(root.path(), "thermal_zone0/temp", "41000\n");
        write(root.path(), "thermal_zone1/temp", "67500\n");
        assert_eq!(temperature(root.path()), Some(67.5));
    }

    #[test]
    fn a_busy_machine_is_warned_of() {
        assert_eq!(others(0.01, 0.0).level, Level::Good);
        assert_eq!(others(0.2, 0.0).level, Level::Warning);
        assert_eq!(others(0.0, 0.05).level, Level::Warning);
        assert_eq!(governor(None), None);
        assert_eq!(governor(Some("performance")).unwrap().level, Level::Good);
        assert_eq!(governor(Some("powersave")).unwrap().level, Level::Warning);
    }
}
