//! The machine that a measurement ran on: what a reader needs to judge its figures.

use std::fmt::{self, Display};
use std::fs;

use serde::{Deserialize, Serialize};

/// Where the kernel lists vulnerabilities, one file each (`Documentation/ABI/testing/sysfs-devices-system-cpu` of Linux).
const VULNERABILITIES: &str = "/sys/devices/system/cpu/vulnerabilities";

/// Revisions of the microcode that are no revision: nothing, those that KVM gives every guest on Intel (1) and on AMD
/// (0x01000065, `arch/x86/kvm` of Linux), and the one that other hypervisors use.
const HIDDEN: [u32; 4] = [0, 1, 0x0100_0065, u32::MAX];

/// The processor, and what of the kernel affects its speed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Name, and with it family, model and stepping.
    pub cpu: String,
    /// As the processor names itself, for instance `GenuineIntel` or `AuthenticAMD`. `None` only in reports from before it was
    /// recorded.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Revision of the microcode, in hexadecimal. `None` if it is not shown, or was not recorded.
    #[serde(default)]
    pub microcode: Option<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Release of the Linux kernel.
    pub kernel: String,
    /// Whether this is a virtual machine.
    pub hypervisor: bool,
    /// `vulnerability: what is done about it`, without those that do not affect this processor.
    pub mitigations: Vec<String>,
}

impl Machine {
    /// Describes this machine.
    pub fn here() -> Machine {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: kernel.trim().to_owned(),
            mitigations: mitigations(),
            ..Machine::from_cpuinfo(&info)
        }
    }

    /// What the first processor of `/proc/cpuinfo` shows.
    fn from_cpuinfo(info: &str) -> Machine {
        let field = |name: &str| {
            let line = info.lines().find(|line| line.split(':').next().is_some_and(|k| k.trim() == name));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
        };
        let [family, model, stepping] =
            ["cpu family", "model", "stepping"].map(|name| field(name).unwrap_or_default());
        let name = field("model name").unwrap_or("unknown");
        // ARM has numbers in place of names.
        let vendor = field("vendor_id").map(str::to_owned);
        let vendor =
            vendor.or_else(|| field("CPU implementer").map(|number| format!("CPU implementer {number}")));
        let hypervisor = field("flags").is_some_and(|flags| flags.split(' ').any(|f| f == "hypervisor"));
        Machine {
            cpu: format!("{name} (family {family} model {model} stepping {stepping})"),
            vendor: Some(vendor.unwrap_or_else(|| "unknown vendor".to_owned())),
            microcode: field("microcode").filter(|revision| is_revision(revision)).map(str::to_owned),
            cores: 1,
            kernel: String::new(),
            hypervisor,
            mitigations: Vec::new(),
        }
    }

    /// The processor alone: name, vendor, microcode, number of cores.
    pub fn processor(&self) -> String {
        let microcode = match (&self.microcode, &self.vendor, self.hypervisor) {
            (Some(revision), ..) => revision.as_str(),
            (None, None, _) => "not recorded",
            (None, Some(_), true) => "not shown by the hypervisor",
            (None, Some(_), false) => "not shown by the kernel",
        };
        let vendor = self.vendor.as_deref().unwrap_or("vendor not recorded");
        let guest = if self.hypervisor { ", virtual" } else { "" };
        let cores = if self.cores == 1 { "core" } else { "cores" };
        format!("{}, {vendor}, microcode {microcode}, {} {cores}{guest}", self.cpu, self.cores)
    }
}

/// Everything in one line.
impl Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, Linux {}; mitigations: ", self.processor(), self.kernel)?;
        if self.mitigations.is_empty() {
            return f.write_str("none shown by the kernel");
        }
        f.write_str(&self.mitigations.join(" | "))
    }
}

/// Whether this is a revision, and not a placeholder.
fn is_revision(text: &str) -> bool {
    let number = text.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
    number.is_some_and(|number| !HIDDEN.contains(&number))
}

fn mitigations() -> Vec<String> {
    let Ok(files) = fs::read_dir(VULNERABILITIES) else { return Vec::new() };
    let line = |file: fs::DirEntry| {
        let text = fs::read_to_string(file.path()).ok()?;
        let name = file.file_name().to_string_lossy().into_owned();
        (!text.starts_with("Not affected")).then(|| format!("{name}: {}", text.trim()))
    };
    let mut lines: Vec<String> = files.filter_map(Result::ok).filter_map(line).collect();
    lines.sort();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMD: &str = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\
                       stepping\t: 1\nmicrocode\t: 0xa101154\nflags\t\t: fpu vme\n\nprocessor\t: 1\nvendor_id\t: other\n";

    #[test]
    fn the_first_processor_is_described() {
        let machine = Machine::from_cpuinfo(AMD);
        assert_eq!(
            machine.processor(),
            "AMD EPYC (family 25 model 17 stepping 1), AuthenticAMD, microcode 0xa101154, 1 core"
        );
        let guest = Machine::from_cpuinfo(&AMD.replace("fpu", "fpu hypervisor"));
        assert!(guest.processor().ends_with(", virtual"));
    }

    #[test]
    fn placeholders_of_hypervisors_are_no_microcode() {
        for revision in ["0x1", "0xffffffff", "0x1000065", "0x0", "", "unknown"] {
            let guest = AMD.replace("0xa101154", revision).replace("fpu", "hypervisor");
            let machine = Machine::from_cpuinfo(&guest);
            assert_eq!(machine.microcode, None, "{revision}");
            assert!(machine.processor().contains("microcode not shown by the hypervisor"), "{machine}");
        }
        let without = Machine::from_cpuinfo("processor\t: 0\nCPU implementer\t: 0x41\n");
        assert!(without.processor().contains("CPU implementer 0x41, microcode not shown by the kernel"));
    }

    #[test]
    fn a_line_has_every_mitigation() {
        let mut machine = Machine::from_cpuinfo(AMD);
        assert!(machine.to_string().ends_with("mitigations: none shown by the kernel"));
        machine.mitigations = vec!["a: Vulnerable".to_owned(), "b: Mitigation: x; y".to_owned()];
        assert!(machine.to_string().ends_with("mitigations: a: Vulnerable | b: Mitigation: x; y"));
        assert_eq!(machine.to_string().lines().count(), 1);
    }

    #[test]
    fn an_older_description_can_be_read() {
        let text = r#"{"cpu": "X", "cores": 2, "kernel": "6.1", "hypervisor": true, "mitigations": [], "iperf3": ""}"#;
        let machine: Machine = serde_json::from_str(text).unwrap();
        assert!(machine.processor().contains("X, vendor not recorded, microcode not recorded, 2 cores"));
        let again: Machine = serde_json::from_str(&serde_json::to_string(&machine).unwrap()).unwrap();
        assert_eq!(again, machine);
    }
}
