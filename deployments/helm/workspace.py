"""A folder of its own for every call: credentials, values, chart, Helm's homes. Gone afterwards."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PREFIX: Final = "mcm-helm-"
_LOCK: Final = "lock"
_YOUNG: Final = 60.0


@dataclass(frozen=True, slots=True)
class Workspace:
    """A private folder; everything written into it is readable by this user only."""

    folder: Path

    def write(self, name: str, data: str | bytes) -> Path:
        """Write a file that did not exist, mode 0600. Out: its path."""
        path = self.folder / name
        content = data.encode() if isinstance(data, str) else data
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return path

    def env(self, kubeconfig: Path) -> dict[str, str]:
        """Return the whole environment of the child: nothing is inherited, proxies neither."""
        here = str(self.folder)
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "HOME": here,
            "TMPDIR": here,
            "KUBECONFIG": str(kubeconfig),
            "HELM_CACHE_HOME": f"{here}/cache",
            "HELM_CONFIG_HOME": f"{here}/config",
            "HELM_DATA_HOME": f"{here}/data",
            "HELM_PLUGINS": f"{here}/plugins",
            "HELM_DRIVER": "secret",
            "NO_COLOR": "1",
        }

    def hide(self, text: str) -> str:
        """Return the text without this folder's path."""
        return text.replace(f"{self.folder}{os.sep}", "").replace(str(self.folder), ".")


@contextmanager
def opened() -> Iterator[Workspace]:
    """Give a new workspace, locked as long as it is used; it is removed whatever happens.

    Errors: `OSError` when the disk has no room.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # mkdtemp makes it 0700
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Workspace(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> int:
    """Remove the folders of processes that were killed. Out: how many. For a worker's start."""
    removed = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _abandoned(folder: Path) -> bool:
    try:
        status = folder.lstat()
        if status.st_uid != os.getuid() or time.time() - status.st_mtime < _YOUNG:
            return False
        with (folder / _LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return folder.is_dir() and not folder.is_symlink()
    except OSError:
        return False
    return True
