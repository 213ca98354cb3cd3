//! Network namespaces.
#![expect(unsafe_code, reason = "setns and unshare")]

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread;

use crate::error::{Error, Result};

/// A network namespace, held by a descriptor: it exists as long as this value, or as long as a process is in
/// it.
#[derive(Debug)]
pub struct Namespace(File);

/// The identity of a namespace while the host runs: device and inode of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// Device of the namespace file system.
    pub device: u64,
    /// Inode in it.
    pub inode: u64,
}

const OWN: &str = "/proc/thread-self/ns/net";

impl Namespace {
    /// Creates a namespace with only a loopback interface, which is down. The calling thread does not enter
    /// it.
    ///
    /// # Errors
    /// S08 without CAP_SYS_ADMIN; `Kind::Unsupported` when the kernel has no namespaces.
    pub fn create() -> Result<Namespace> {
        let made = thread::Builder::new().name("namespace".to_owned()).spawn(|| {
            // SAFETY: unshare takes no pointers; it changes the namespace of this thread alone, which ends right here.
            if unsafe { libc::unshare(libc::CLONE_NEWNET) } < 0 {
                return Err(io::Error::last_os_error());
            }
            File::open(OWN)
        });
        let made =
            made.and_then(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("thread ended"))));
        made.map(Namespace).map_err(|e| explain("cannot create a network namespace", &e))
    }

    /// The namespace of the calling thread.
    ///
    /// # Errors
    /// When /proc is not mounted.
    pub fn current() -> Result<Namespace> {
        Namespace::open(Path::new(OWN))
    }

    /// Opens a namespace by its file: /run/netns/NAME, or /proc/PID/ns/net.
    ///
    /// # Errors
    /// `Kind::NotFound` if it does not exist.
    pub fn open(path: &Path) -> Result<Namespace> {
        let tried = || format!("cannot open network namespace {}", path.display());
        File::open(path).map(Namespace).map_err(|e| Error::io(tried(), &e))
    }

    /// Finds the namespace with this identity through a process or a name in /run/netns; `None` if it no
    /// longer exists (or is not visible, in another container).
    pub fn find(identity: Identity) -> Option<Namespace> {
        let processes =
            fs::read_dir("/proc").into_iter().flatten().flatten().map(|e| e.path().join("ns/net"));
        let names = fs::read_dir("/run/netns").into_iter().flatten().flatten().map(|e| e.path());
        processes.chain(names).find_map(|path| {
            let about = fs::metadata(&path).ok()?;
            let same = (about.dev(), about.ino()) == (identity.device, identity.inode);
            if same { Namespace::open(&path).ok() } else { None }
        })
    }

    /// Moves the calling thread into the namespace; threads and processes that it starts later inherit it.
    ///
    /// # Errors
    /// S08 without CAP_SYS_ADMIN.
    pub fn enter(&self) -> Result<()> {
        // SAFETY: setns takes no pointers and changes the calling thread alone.
        if unsafe { libc::setns(self.0.as_raw_fd(), libc::CLONE_NEWNET) } < 0 {
            return Err(explain("cannot enter a network namespace", &io::Error::last_os_error()));
        }
        Ok(())
    }

    /// The identity of the namespace.
    ///
    /// # Errors
    /// The error of the kernel; cannot happen for an open namespace.
    pub fn identity(&self) -> Result<Identity> {
        let of = |m: fs::Metadata| Identity { device: m.dev(), inode: m.ino() };
        self.0.metadata().map(of).map_err(|e| Error::io("cannot identify a network namespace", &e))
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn explain(tried: &str, e: &io::Error) -> Error {
    let error = Error::io(tried, e).needs("CAP_SYS_ADMIN");
    if e.raw_os_error() == Some(libc::EINVAL) {
        error.with_fix("use a kernel with CONFIG_NET_NS")
    } else {
        error
    }
}
