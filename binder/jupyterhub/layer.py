"""Run a program in which a demo classroom's accounts exist and can reach Python, and leave the computer as it is.

Started in a mount namespace of its own, which all the mounts below end with:
`unshare --mount python layer.py CLASSROOM PROGRAM ARGUMENT...`; the classroom's folder keeps the changes to /etc.
"""

import os
import stat
import subprocess
import sys
from itertools import groupby
from pathlib import Path


def main(classroom: Path, *program: str) -> None:
    """Make the layer, and become `program`."""
    _layer_over_etc(classroom / "hub" / "etc")
    _open_the_way(Path(sys.base_prefix), Path(__file__).resolve().parents[2], classroom)
    os.execv(program[0], program)  # noqa: S606 - no shell, and the caller names the program


def _layer_over_etc(folder: Path) -> None:
    """Let `useradd` write its changes to /etc into `folder`."""
    upper, work = folder / "changes", folder / "work"
    upper.mkdir(parents=True, exist_ok=True)
    work.mkdir(exist_ok=True)
    _mount("-t", "overlay", "overlay", "-o", f"lowerdir=/etc,upperdir={upper},workdir={work}", "/etc")


def _open_the_way(*wanted: Path) -> None:
    """Let all accounts reach the folders in `wanted`, also below a closed one such as a home folder.

    In the place of the closed folder they see one in which there is nothing but the way to the wanted ones.
    """
    found = sorted((above, path) for path in wanted if (above := _closed_above(path)))
    for closed, pairs in groupby(found, key=lambda pair: pair[0]):
        descriptors = {path: os.open(path, os.O_PATH) for _, path in pairs}
        _mount("-t", "tmpfs", "tmpfs", "-o", "mode=711", str(closed))
        for path, descriptor in descriptors.items():
            if not path.exists():
                path.mkdir(parents=True, mode=0o755)
                _mount("--bind", "--no-canonicalize", f"/proc/self/fd/{descriptor}", str(path), keep=descriptor)
            os.close(descriptor)


def _closed_above(path: Path) -> Path | None:
    """The topmost folder on the way to `path` that others may not pass."""
    return next((up for up in reversed(path.resolve().parents) if not up.stat().st_mode & stat.S_IXOTH), None)


def _mount(*arguments: str, keep: int | None = None) -> None:
    subprocess.run(["mount", *arguments], check=True, pass_fds=[] if keep is None else [keep])


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
