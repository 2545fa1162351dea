"""Collect from nbgrader's exchange only what a learner handed in as themselves, and only plain files of their own.

Everybody may write into the exchange's inbound folder. nbgrader names a submission after whoever it says it is from,
warns where another account owns it, and collects it all the same; it also follows links, with the rights of whoever
collects.
So one learner could replace another's work, or hand in a link to the solutions and read them in the feedback.
"""

import hashlib
import os
import pwd
import shutil
import stat
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import ignore_patterns

from autograder.errors import AcademyError

_REFUSED = ""
"""Stands for the learner of a submission that is not collected; no account has this name."""


class CheckedCollect(ExchangeCollect):  # type: ignore[misc]
    """nbgrader's collecting, without submissions in another's name and without links.

    `check_owner = False` leaves the names unchecked, for a hub on which all learners share one account. Where people
    have no account of the system (in containers), the variable ACADEMY_ACCOUNTS is `numbers`: see `account_number`.
    """

    src_records: list[dict[str, Any]]

    def _path_to_record(self, path: str) -> dict[str, Any]:
        record: dict[str, Any] = super()._path_to_record(path)
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode) or (self.check_owner and not _owns(record["username"], status)):
            self.log.error("not collected: %s is no folder of the account '%s'", path, record["username"])
            record["username"] = _REFUSED
        return record

    def init_src(self) -> None:
        """Find the newest submission of each learner."""
        super().init_src()
        self.src_records = [record for record in self.src_records if record["username"] != _REFUSED]

    def do_copy(self, src: str, dest: str, log: object = None) -> None:
        """Copy one submission; what is wrong with it is logged, and the others are still collected."""
        ignore = ignore_patterns(
            exclude=self.coursedir.ignore, include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size, log=self.log,
        )  # fmt: skip
        try:
            _copy_plain(Path(src), Path(dest), ignore, 1000 * self.coursedir.max_dir_size)
        except (AcademyError, OSError) as error:
            self.log.error("not collected: %s: %s", src, error)  # noqa: TRY400 - one line is enough
            shutil.rmtree(dest, ignore_errors=True)


def account_number(name: str) -> int:
    """The number that a person's containers run as; `binder/jupyterhub/values.yaml` computes the same."""
    return 2**20 + int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % 2**30


def _owns(name: str, status: os.stat_result) -> bool:
    """Whether a file belongs to the person called `name`."""
    if os.environ.get("ACADEMY_ACCOUNTS") == "numbers":
        return status.st_uid == account_number(name)
    try:
        return pwd.getpwuid(status.st_uid).pw_name == name
    except KeyError:
        return False


def _copy_plain(source: Path, target: Path, ignore: Any, most_bytes: int) -> None:
    """Copy a folder that its owner may change meanwhile: no link is followed at any moment, not even a hard one.

    Raises `AcademyError` for anything but plain files of the folder's owner, and for too much of them.
    """
    owner = source.lstat().st_uid
    for folder, folders, files, descriptor in os.fwalk(source, follow_symlinks=False):
        left_out = set(ignore(folder, [*folders, *files]))
        folders[:] = [name for name in folders if name not in left_out]
        place = target / Path(folder).relative_to(source)
        place.mkdir(parents=True)
        for name in files:
            if name in left_out:
                continue
            # NONBLOCK, so that a pipe that nobody writes to does not stop the collecting
            opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
            with os.fdopen(opened, "rb") as file:
                status = os.fstat(opened)
                if not stat.S_ISREG(status.st_mode) or status.st_uid != owner:
                    raise AcademyError(f"{name} is no plain file of whoever handed it in")
                most_bytes -= status.st_size
                if most_bytes < 0:
                    raise AcademyError("it is larger than a submission may be (CourseDirectory.max_dir_size)")
                (place / name).write_bytes(file.read(status.st_size))
