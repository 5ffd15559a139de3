"""Makes the virtual environment when needed, then runs a Python program in it.

    python3 bootstrap/launch.py [--dev] [PROGRAM ARGUMENT...]

Runs on any Python from 3.8, to find one that MCM runs on. The environment is `.venv`, or the
folder that MCM_VENV names; packages come from the hashed locks in `requirements/`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator  # noqa: UP035 (also for Python 3.8)

PROJECT = Path(__file__).resolve().parent.parent
SUPPORTED = ((3, 13), (3, 12), (3, 11))
_PROBE = "import ctypes, ssl, sys, venv; print('%d.%d.%d' % sys.version_info[:3])"
# pip's settings that uv knows under other names.
_PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "cert": "SSL_CERT_FILE",
}


class LaunchError(Exception):
    """One line that says what is missing and how to get it."""


def main(arguments: list[str]) -> None:
    dev = arguments[:1] == ["--dev"]
    program = arguments[1:] if dev else arguments
    venv = Path(os.environ.get("MCM_VENV") or PROJECT / ".venv").absolute()
    try:
        ensure(venv, dev=dev)
    except LaunchError as error:
        sys.exit(str(error))
    if program:
        python = str(venv / "bin" / "python")
        os.execv(python, [python, *program])  # noqa: S606 (no shell is the point)


def ensure(venv: Path, *, dev: bool) -> None:
    """A usable environment with everything that the locks name; quick when nothing changed."""
    locks = [PROJECT / "requirements" / name for name in ("runtime.txt", "dev.txt")[: 1 + dev]]
    wanted = {lock.name: hashlib.sha256(lock.read_bytes()).hexdigest() for lock in locks}
    if _is_stamped(venv, wanted):
        return
    _refuse_foreign_folder(venv)
    venv.mkdir(parents=True, exist_ok=True)
    with (venv / "launch.lock").open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)  # somebody else may be making it
        if _is_stamped(venv, wanted):
            return
        python = _environment(venv)
        _install(venv, python, locks)
        _add_project(venv)
        stamp = {"python": str(python.resolve()), "locks": wanted}
        (venv / "mcm-stamp.json").write_text(json.dumps(stamp))


def _is_stamped(venv: Path, wanted: dict[str, str]) -> bool:
    """Whether we installed these locks there, with a Python that is still in its place."""
    try:
        stamp = json.loads((venv / "mcm-stamp.json").read_text())
    except (OSError, ValueError):
        return False
    python = venv / "bin" / "python"
    same_python = python.exists() and str(python.resolve()) == stamp["python"]
    return same_python and wanted.items() <= stamp["locks"].items()


def _refuse_foreign_folder(venv: Path) -> None:
    if venv.is_dir() and any(venv.iterdir()) and not (venv / "pyvenv.cfg").exists():
        ours = {path.name for path in venv.iterdir()} <= {"launch.lock"}
        if not ours:
            raise LaunchError(f"{venv} is not a virtual environment: name another with MCM_VENV")


def _environment(venv: Path) -> Path:
    """The environment's Python, made with the newest Python that runs; one that works stays."""
    python = venv / "bin" / "python"
    version = version_of(str(python))
    if version and version[:2] in SUPPORTED:
        return python
    base, found = newest_python()
    say(f"Making {venv} with Python {'.'.join(map(str, found))}")
    # Without pip, since Debian's Python has no ensurepip; uv needs none.
    made = _run([base, "-m", "venv", "--clear", "--without-pip", str(venv)])
    if made.returncode != 0:
        raise LaunchError(f"{base} cannot make a virtual environment: {_last_line(made)}")
    return python


def newest_python() -> tuple[str, tuple[int, ...]]:
    """The newest supported Python. A shim may be there and fail, so each is really run."""
    seen = {}
    for candidate in _candidates():
        version = version_of(candidate)
        if version:
            seen[candidate] = version
    usable = {name: version for name, version in seen.items() if version[:2] in SUPPORTED}
    if not usable:
        found = ", ".join(sorted({".".join(map(str, v)) for v in seen.values()})) or "none"
        raise LaunchError(f"MCM needs Python 3.11, 3.12 or 3.13; found {found}.")
    best = max(usable, key=lambda name: usable[name])
    return best, usable[best]


def _candidates() -> Iterator[str]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for major, minor in SUPPORTED:
        for python in sorted((root / "versions").glob(f"{major}.{minor}*/bin/python")):
            yield str(python)
    for name in [f"python{major}.{minor}" for major, minor in SUPPORTED] + ["python3"]:
        for folder in os.get_exec_path():
            if os.access(f"{folder}/{name}", os.X_OK):
                yield f"{folder}/{name}"


def version_of(python: str) -> tuple[int, ...]:
    """Its version, or nothing when it does not run or lacks a module that MCM needs."""
    if not Path(python).exists():
        return ()
    try:
        shown = _run([python, "-I", "-c", _PROBE])
    except OSError:
        return ()
    return tuple(map(int, shown.stdout.split("."))) if shown.returncode == 0 else ()


def _install(venv: Path, python: Path, locks: list[Path]) -> None:
    say(f"Installing {' and '.join(lock.name for lock in locks)} into {venv}")
    names = [part for lock in locks for part in ("-r", str(lock))]
    wanted = ["install", "--no-deps", "--require-hashes", *names]
    failures = []
    pip = _pip(python)
    uv = _uv(venv, pip)
    if uv:
        # Compiled now, each of the processes that MCM starts loads in a third of the time.
        options = ["--compile-bytecode", "--python", str(python)]
        done = _run([uv, "pip", *wanted, *options], _uv_environment(pip))
        if done.returncode == 0:
            return
        failures.append(f"uv: {_last_line(done)}")
    if pip:
        done = _run([*pip, "--python", str(python), *wanted])
        if done.returncode == 0:
            return
        failures.append(f"pip: {_last_line(done)}")
    reasons = "; ".join(failures) or "neither uv nor pip was found (apt install python3-pip)"
    raise LaunchError(f"The packages could not be installed. {reasons}")


def _pip(python: Path) -> list[str]:
    """Any pip will do: it fetches uv, or installs into our environment by `--python`."""
    base = Path(python).resolve()
    for candidate in dict.fromkeys((str(base), sys.executable, "python3")):
        try:
            if _run([candidate, "-m", "pip", "--version"]).returncode == 0:
                return [candidate, "-m", "pip"]
        except OSError:
            continue
    return []


def _uv(venv: Path, pip: list[str]) -> str:
    """A uv that runs: the one on PATH, or our own, kept beside the environment's packages."""
    own = venv / "tools" / "bin" / "uv"
    for candidate in (shutil.which("uv"), str(own)):
        if candidate and Path(candidate).exists() and _run([candidate, "-V"]).returncode == 0:
            return candidate
    if not pip:
        return ""
    lock = ["--require-hashes", "-r", str(PROJECT / "bootstrap" / "uv.txt")]
    target = ["--target", str(venv / "tools"), "--upgrade"]
    done = _run([*pip, "install", "--quiet", *target, *lock])
    return str(own) if done.returncode == 0 and own.exists() else ""


def _uv_environment(pip: list[str]) -> dict[str, str]:
    """The package index that pip was told to use is also uv's, unless uv was told itself."""
    found: dict[str, str] = {}
    for line in _run([*pip, "config", "list"]).stdout.splitlines() if pip else ():
        key, _, value = line.partition("=")
        name = _PIP_TO_UV.get(key.rpartition(".")[2])
        if name and name not in os.environ:
            found[name] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    return found


def _add_project(venv: Path) -> None:
    """So that programs of the environment (pytest, celery) find the project from anywhere."""
    for packages in venv.glob("lib/python3.*/site-packages"):
        (packages / "mcm_project.pth").write_text(f"{PROJECT}\n")


def _run(
    command: list[str], environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **(environment or {})},
        check=False,
    )


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return " ".join(line.strip() for line in lines[-3:]) or f"exit code {done.returncode}"


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
