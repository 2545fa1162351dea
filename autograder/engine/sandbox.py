"""Shut the calling process in, for good: files, network, signals, system calls, memory, processor time.

Landlock rules (through sandlock) for files, signals and abstract sockets; seccomp rules (through libseccomp) for what
Landlock does not know; resource limits of the system for the rest. Works as root and as an ordinary user of Linux.
"""

import ctypes
import importlib.util
import mmap
import os
import resource
import signal
import site
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.engine.limits import Limits

try:  # both are loaded before anything is confined: looking for a system library needs more than a confined process may
    import pyseccomp
    import sandlock
except (ImportError, OSError, RuntimeError) as missing:
    _MISSING = str(missing)
else:
    _MISSING = ""

PROTECTIONS = (
    "files: reads only Python, its packages and the lab's data; writes only its own folder",
    "network: none, local sockets included",
    "other processes: cannot be seen, signalled or traced",
    "resources: memory, processor time, files, processes and threads are limited",
)
"""What `confine` does, in the words of `academy autograde`."""

_PR_SET_PDEATHSIG = 1
_EPERM, _ENOSYS, _DONE_NOTHING = 1, 38, 0
_CLONE_THREAD = 0x10000
_SHARED_WITH_NOBODY = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS  # memory for children, and not counted as one's own

_FORBIDDEN_CALLS = (
    # the network and every other socket; what needs no address (a pair of sockets, as asyncio has) stays
    *("socket", "connect", "bind", "listen", "accept", "accept4", "sendmsg", "sendmmsg"),
    # other processes
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp"),
    *("pidfd_open", "pidfd_getfd", "pidfd_send_signal"),
    # things that outlive a process
    *("shmget", "shmat", "semget", "msgget", "mq_open", "add_key", "request_key", "keyctl"),
    # memory that is not counted as that of the process
    "memfd_create",
    # the order in which processes get their turn
    *("setpriority", "ioprio_set", "sched_setattr", "sched_setparam", "sched_setscheduler"),
    # the system itself, and parts of the kernel that graded work never needs
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "move_mount", "open_tree", "fsopen", "fsmount"),
    *("fsconfig", "fspick", "mount_setattr", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup"),
    *("io_uring_enter", "io_uring_register", "kexec_load", "kexec_file_load", "init_module", "finit_module"),
    *("delete_module", "swapon", "swapoff", "reboot", "syslog", "acct", "quotactl", "sethostname", "setdomainname"),
    *("clock_settime", "settimeofday", "adjtimex", "clock_adjtime", "fanotify_init", "open_by_handle_at"),
)

_EMPTY_CALLS = (
    # Landlock does not cover these. They say that they worked and do nothing: copying a file calls them, too.
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat"),
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
)


class CannotConfineError(Exception):
    """Something that the sandbox is made of is missing on this system; the text says what."""


@dataclass(frozen=True)
class Places:
    """What a confined process may touch."""

    work: Path
    """its own folder, the only one that it may write"""
    readable: tuple[str, ...]
    """what it may read, see `readable_places`"""


def readable_places(*more: Path) -> tuple[str, ...]:
    """Files and folders that Python and its packages need for reading, and `more`; those that exist.

    The package `autograder` is left out of the packages: an installed kit keeps the labs with their tests in it.
    """
    system = ["/usr/lib", "/usr/lib64", "/usr/share", "/usr/local/lib", "/lib", "/lib64", "/bin", "/usr/bin"]
    settings = ["/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/etc/fonts", "/etc/ssl", "/etc/os-release"]
    devices = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"]
    machine = ["/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu", "/sys/devices/system/node"]
    python = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), sysconfig.get_config_var("LIBDIR")]
    python += [sys.executable, str(Path(sys.prefix, "pyvenv.cfg"))]
    places = [*system, *settings, *devices, *machine, *python, *map(str, more), *_packages()]
    return tuple(dict.fromkeys(place for place in places if place and Path(place).exists()))


def _packages() -> Iterator[str]:
    """Everything in the folders of installed packages but `autograder`, and `labkit` wherever it lies."""
    folders = {*site.getsitepackages(), site.getusersitepackages(), sysconfig.get_path("purelib")}
    for folder in sorted(folders):
        if Path(folder).is_dir():
            yield from sorted(str(entry) for entry in Path(folder).iterdir() if entry.name != "autograder")
    labkit = importlib.util.find_spec("labkit")
    if labkit is not None and labkit.origin:
        yield str(Path(labkit.origin).parent)


def confine(places: Places, limits: Limits) -> None:
    """Confine this process and all its threads and children until they end.

    Raises `CannotConfineError` where the system lacks Landlock (Linux 6.2 or newer has what is needed) or seccomp.
    """
    if not sys.platform.startswith("linux"):
        raise CannotConfineError("the sandbox needs Linux (on Windows: WSL 2)")
    if _MISSING:
        raise CannotConfineError(f"{_MISSING}; run `make setup` again, and on Debian `apt install libseccomp2`")
    _limit_resources(limits)
    _drop_capabilities()
    _restrict_files(places)
    _restrict_calls(limits)


def _limit_resources(limits: Limits) -> None:
    megabyte = 1_000_000
    memory = _data_bytes() + int(limits.memory_megabytes * megabyte)  # the conductor watches what is really used
    seconds = int(2 * limits.notebook_seconds) + 1  # of the processor; the clock is the conductor's
    for kind, amount in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_FSIZE, int(limits.file_megabytes * megabyte)),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (allowed, allowed))
    # A file that grows too large is an error in the code that writes it, not the end of the process.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _data_bytes() -> int:
    """Address space for data of this process, which is more than it uses (proc_pid_status(5), VmData)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def die_with_parent() -> None:
    """Have the system kill this process when the one that forked it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise CannotConfineError("prctl does not work")


def _drop_capabilities() -> None:
    """Give up what root has above others (capset(2), version 3 of its structures)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.capset(header, nothing) != 0:
        raise CannotConfineError("capset does not work")


def _restrict_files(places: Places) -> None:
    readable = [*places.readable, "/proc/self"]
    # What kernels before 6.12 lack of Landlock the rules for system calls cover: sockets, signals, devices.
    known = sandlock.Protection
    younger = [known.NET_TCP, known.FS_IOCTL_DEV, known.SIGNAL_SCOPE, known.ABSTRACT_UNIX_SOCKET_SCOPE]
    writable = [str(places.work), "/dev/null"]
    try:
        sandlock.confine(sandlock.Sandbox(fs_readable=readable, fs_writable=writable, allow_degraded=younger))
    except sandlock.SandlockError as error:
        raise CannotConfineError(f"Landlock does not work here (Linux 6.2 or newer has it): {error}") from error


def _restrict_calls(limits: Limits) -> None:
    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
    for name in _FORBIDDEN_CALLS:
        _add(rules, pyseccomp.ERRNO(_EPERM), name)
    for name in _EMPTY_CALLS:
        _add(rules, pyseccomp.ERRNO(_DONE_NOTHING), name)
    _add(rules, pyseccomp.ERRNO(_EPERM), "sendto", pyseccomp.Arg(4, pyseccomp.NE, 0))  # to an address
    _add(rules, pyseccomp.ERRNO(_EPERM), "prctl", pyseccomp.Arg(0, pyseccomp.EQ, _PR_SET_PDEATHSIG))
    _add(rules, pyseccomp.ERRNO(_DONE_NOTHING), "utimensat", pyseccomp.Arg(2, pyseccomp.NE, 0))
    # To set a file's time to now must fail instead: whoever touches a file takes success for a sign that it is there.
    _add(rules, pyseccomp.ERRNO(_EPERM), "utimensat", pyseccomp.Arg(2, pyseccomp.EQ, 0))
    for command in (8, 10, 15):  # F_SETOWN, F_SETSIG, F_SETOWN_EX: signals to others by way of a file
        _add(rules, pyseccomp.ERRNO(_EPERM), "fcntl", pyseccomp.Arg(1, pyseccomp.EQ, command))
    for name in ("prlimit64", "sched_setaffinity"):  # those of others
        _add(rules, pyseccomp.ERRNO(_EPERM), name, pyseccomp.Arg(0, pyseccomp.NE, 0))
    if limits.processes == 0:
        own = os.getpid()
        _add(rules, pyseccomp.ERRNO(_EPERM), "mmap", pyseccomp.Arg(3, pyseccomp.MASKED_EQ, *2 * [_SHARED_WITH_NOBODY]))
        for name in ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
            _add(rules, pyseccomp.ERRNO(_EPERM), name, pyseccomp.Arg(0, pyseccomp.NE, own))
        _add(rules, pyseccomp.ERRNO(_EPERM), "tkill")
        for name in ("fork", "vfork", "execve", "execveat"):
            _add(rules, pyseccomp.ERRNO(_EPERM), name)
        _add(rules, pyseccomp.ERRNO(_ENOSYS), "clone3")  # its flags cannot be seen from here; libc then takes clone
        _add(rules, pyseccomp.ERRNO(_EPERM), "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, 0))
    try:
        rules.load()
    except OSError as error:
        raise CannotConfineError(f"seccomp does not work here: {error}") from error


def _add(rules: object, action: int, name: str, *arguments: object) -> None:
    """Add a rule for a system call, unless this architecture or kernel has none of that name."""
    try:
        number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    except ValueError:
        return
    if number >= 0:
        rules.add_rule(action, number, *arguments)  # type: ignore[attr-defined]


def private_folder(work: Path) -> None:
    """Make `work` this process's home and place for temporary files, and forget where the user's own files are."""
    os.chdir(work)
    for name in [name for name in os.environ if name.startswith(("XDG_", "JUPYTER", "IPYTHON", "HF_", "SSH_"))]:
        del os.environ[name]
    own = dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR", "LABKIT_CHECKPOINTS"), str(work))
    os.environ.update(own, NBGRADER_EXECUTION="autograde")
