"""The folders of a classroom on one machine, and who may enter which; laid out at every start of the hub.

    hub/       the hub's own: database, secrets                       nobody else
    course/    the graders' course: labs with solutions, gradebook    the graders' account
    exchange/  nbgrader's: handed out, handed in, answered            all fetch and hand in, none reads what others did
    homes/     a folder for each person                               that person
    kit/       the kit as learners have it, without the labs          all may read
    cache/     the built model                                        all may read

Without accounts (a hub not started by root) all is one account's, and only file names keep people apart.
"""

import compileall
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder import kit as source
from autograder.errors import AcademyError
from autograder.nbgrader_collecting import account_number

COURSE = "ai-skills-academy"
"""nbgrader's name of the course, as in `autograder/nbgrader_config.py`; names the groups and the formgrader, too."""

GRADER = f"grader-{COURSE}"
"""The account that owns the course: instructors work as it in formgrader, and as nobody else."""

CHECKOUT = Path(__file__).resolve().parents[2]

ADD_ACCOUNT = ("useradd", "--user-group", "--create-home", "--key", "HOME_MODE=0700", "--shell", "/bin/bash")
"""Makes an account of the system without a password; its home is closed to others."""

_OF_THE_KIT = (
    "pyproject.toml", "constraints.txt", "README.md", "LICENSE",
    "autograder", "binder", "courses", "labs/labkit", "labs/LICENSE",
)  # fmt: skip
_ALL_READ, _ALL_PASS, _OWN = 0o755, 0o711, 0o700


@dataclass(frozen=True)
class Classroom:
    """The folders below `root`."""

    root: Path
    grader: str | int | None
    """account that owns the course: a name, or a number in containers; None where all share one account"""
    kit: Path
    """the kit that people's servers use"""

    @property
    def accounts(self) -> bool:
        """Whether each person has an account of the system."""
        return isinstance(self.grader, str)

    @property
    def hub(self) -> Path:
        """What nobody but the hub may see."""
        return self.root / "hub"

    @property
    def course(self) -> Path:
        """The graders' course."""
        return self.root / "course"

    @property
    def exchange(self) -> Path:
        """Nbgrader's `Exchange.root`."""
        return self.root / "exchange"

    @property
    def homes(self) -> Path:
        """People's home folders."""
        return self.root / "homes"

    @property
    def cache(self) -> Path:
        """The built model, for all to read."""
        return self.root / "cache"

    def environment(self) -> dict[str, str]:
        """Variables that every server of the classroom starts with."""
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
            # Before the installed kit, which may be an editable one and lie where learners may not look.
            "PYTHONPATH": os.pathsep.join([str(self.kit), str(self.kit / "labs")]),
            "ACADEMY_EXCHANGE": str(self.exchange),
            "ACADEMY_ACCOUNTS": "system" if self.accounts else "none",
            "LABKIT_CACHE": str(self.cache),
            "LABKIT_CHECKPOINTS": "~/.cache/ai-skills-academy",
        }


def lay_out(root: Path) -> Classroom:
    """Make what is missing and renew the kit; what people made stays.

    Raises `AcademyError` where the accounts of a classroom could not reach Python or the kit.
    """
    root = root.resolve()
    room = Classroom(root, GRADER if os.geteuid() == 0 else None, root / "kit")
    for folder, mode in ((room.root, _ALL_READ), (room.hub, _OWN), (room.homes, _ALL_PASS), (room.cache, _ALL_READ)):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
    write_learner_kit(room.kit)
    if room.accounts:
        _close_the_checkout(room)
        _make_account(GRADER, room.homes / GRADER)
        _check_reach(room)
    _make_exchange(room)
    _fill_course(room)
    _build_model(room)
    return room


def fill_volume(root: Path) -> None:
    """Make the graders' and the exchange's folders on a volume that containers share, for Kubernetes."""
    room = Classroom(root, account_number(GRADER), CHECKOUT)
    _make_exchange(room)
    _fill_course(room)


def write_learner_kit(folder: Path) -> None:
    """Write the kit as learners may have it: labs reach them through the exchange, without solutions.

    It is complete in itself: repo2docker makes the image of learners' servers from it.
    """
    fresh = folder.with_name(f".{folder.name}-new")
    shutil.rmtree(fresh, ignore_errors=True)
    for name in _OF_THE_KIT:
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, fresh / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            fresh.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, fresh / name)
    for lab in source.labs():
        (fresh / "labs" / lab).mkdir()  # named in pyproject.toml; empty, it is no lab
    for path in fresh.rglob("*"):
        path.chmod(_ALL_READ if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    fresh.chmod(_ALL_READ)
    (fresh / "VERSION").write_text(_fingerprint(fresh))  # by which `start-learner` knows a newer kit
    (fresh / "VERSION").chmod(0o644)
    compileall.compile_dir(fresh, quiet=2)  # learners cannot write here
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)


def _fingerprint(folder: Path) -> str:
    """SHA-256 of the names and contents of all files in `folder`."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _close_the_checkout(room: Classroom) -> None:
    """Keep others out of the checkout, where solutions are, but for the virtual environment and the classroom."""
    for path in CHECKOUT.iterdir():
        if not (path.is_symlink() or Path(sys.prefix).is_relative_to(path) or room.root.is_relative_to(path)):
            path.chmod(path.stat().st_mode & 0o700)


def _make_account(name: str, home: Path) -> None:
    """Make an account of the system, without a password, where there is none of this name."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run([*ADD_ACCOUNT, "--home-dir", str(home), name], check=True)


def _check_reach(room: Classroom) -> None:
    """Try whether another account than root can run Python with the kit; a folder above may be closed to it."""
    tried = subprocess.run(
        [sys.executable, "-c", "import autograder"], check=False, capture_output=True,
        user=GRADER, group=GRADER, extra_groups=[], cwd="/", env=room.environment(),
    )  # fmt: skip
    if tried.returncode:
        raise AcademyError(
            f"other accounts cannot use {sys.executable} and {room.kit}; put the kit and the classroom into folders "
            "that all may enter, for example below /opt and /srv, and start again"
        )


def _make_exchange(room: Classroom) -> None:
    """Make nbgrader's folders as nbgrader would, but sticky: learners cannot move away what is not theirs."""
    room.exchange.mkdir(exist_ok=True)
    room.exchange.chmod(0o1777)  # nbgrader wants the exchange itself open to all
    folders = {".": _ALL_READ, "outbound": _ALL_READ, "feedback": _ALL_PASS, "inbound": 0o1733}
    with _handed_over(room, room.exchange / COURSE) as fresh:
        for name, mode in folders.items():
            (fresh / name).mkdir(exist_ok=True)
            (fresh / name).chmod(mode)


def _fill_course(room: Classroom) -> None:
    """Give the graders nbgrader's configuration and each lab that they do not have; what they changed stays."""
    config = room.kit / "binder/jupyterhub/grader/nbgrader_config.py"
    with _handed_over(room, room.course) as fresh:
        fresh.chmod(_OWN)
        (fresh / "nbgrader_config.py").write_text(f"load_subconfig({str(config)!r})  # renewed with the kit\n")
        (fresh / "labs").mkdir()
    for lab in source.labs().values():
        with _handed_over(room, room.course / "labs" / lab.name) as fresh:
            shutil.copytree(lab.folder, fresh, ignore=shutil.ignore_patterns(".*", "__*"), dirs_exist_ok=True)


@contextmanager
def _handed_over(room: Classroom, target: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `target`, the graders' own; where that exists, one that is thrown away.

    Root writes nothing below a folder of the graders, who could have put a link there.
    """
    fresh = Path(tempfile.mkdtemp(dir=room.root, prefix=".new-"))
    try:
        fresh.chmod(_ALL_READ)
        yield fresh
        if not os.path.lexists(target):
            if room.grader is not None:
                for path in (fresh, *fresh.rglob("*")):
                    shutil.chown(path, room.grader, room.grader)
            fresh.replace(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _build_model(room: Classroom) -> None:
    """Build the model once for all; in a process of its own, which gives the memory back."""
    command = [sys.executable, "-c", "from labkit import models; models.build()"]
    built = subprocess.run(
        command, check=False, capture_output=True, text=True, env=os.environ | {"LABKIT_CACHE": str(room.cache)}
    )
    if built.returncode:
        print(f"The model for course 2 is not ready: {built.stderr.splitlines()[-1]}", file=sys.stderr)


if __name__ == "__main__":
    {"learner-kit": write_learner_kit, "volume": fill_volume}[sys.argv[1]](Path(sys.argv[2]))
