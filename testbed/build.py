"""The programs of a cluster: found in KUBEBUILDER_ASSETS or the cache, otherwise built with Go."""

import fcntl
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from testbed.toolchain import Say, Toolchain, environment, find_go, parse_version

MODULES = Path(__file__).parent / "go"
PROGRESS_EVERY = 5.0
GO_LINE = re.compile(r"^go (\S+)$", re.MULTILINE)
REQUIRE_LINE = re.compile(r"^(?:require\s+|\t)(\S+) (v\S+)", re.MULTILINE)


class BuildFailed(Exception):
    """`go build` failed; str(error) holds the end of what it said."""


@dataclass(frozen=True)
class Program:
    """A program, the folder of the go.mod that names its version, and its Go package."""

    name: str
    module: str
    package: str

    @property
    def folder(self) -> Path:
        """The folder of its go.mod."""
        return MODULES / self.module

    @property
    def version(self) -> str:
        """The version in its go.mod, such as "v1.37.2": go.mod is the only place of versions."""
        required = dict(REQUIRE_LINE.findall((self.folder / "go.mod").read_text()))
        owners = [name for name in required if f"{self.package}/".startswith(f"{name}/")]
        return str(required[max(owners, key=len)])

    @property
    def go(self) -> str:
        """The oldest Go that can build it."""
        line = GO_LINE.search((self.folder / "go.mod").read_text())
        return line[1] if line else "1.24"

    @property
    def ldflags(self) -> str:
        """Linker flags. Without the version, Kubernetes reports itself as v0.0.0."""
        if self.module != "kubernetes":
            return "-s -w"
        major, minor = self.version.removeprefix("v").split(".")[:2]
        at = "-X k8s.io/component-base/version"
        return f"-s -w {at}.gitVersion={self.version} {at}.gitMajor={major} {at}.gitMinor={minor}"


PROGRAMS = {
    program.name: program
    for program in (
        Program("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
        Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
        Program(
            "metrics-server", "metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server"
        ),
        Program("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
        Program(
            "kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"
        ),
        Program("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
        Program("helm-3", "helm-3", "helm.sh/helm/v3/cmd/helm"),
        # An identity provider, for the tests of signing in.
        Program("dex", "dex", "github.com/dexidp/dex/cmd/dex"),
    )
}
CLUSTER_PROGRAMS = (
    "etcd",
    "kwok",
    "metrics-server",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
)


def cache_folder() -> Path:
    """Where built programs are kept: `$XDG_CACHE_HOME/mcm`, by default `~/.cache/mcm`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcm"


def cached(program: Program) -> Path:
    """Where this version of the program is in the cache, built or not."""
    return cache_folder() / f"{program.name}-{program.version}" / program.name


def find(name: str) -> Path | None:
    """The program `name` from KUBEBUILDER_ASSETS or from the cache; None when it must be built."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    places = [Path(assets) / name] if assets else []
    places.append(cached(PROGRAMS[name]))
    return next((place for place in places if os.access(place, os.X_OK)), None)


def ensure(names: Iterable[str] = CLUSTER_PROGRAMS, *, say: Say) -> dict[str, Path]:
    """Paths of all programs in `names`, built if need be; `say` gets lines for humans.

    Raises MissingGo when something must be built and there is no Go, BuildFailed when it fails.
    """
    wanted = list(names)
    missing = [name for name in wanted if find(name) is None]
    if missing:
        newest = max((PROGRAMS[name].go for name in missing), key=parse_version)
        toolchain = find_go(newest, missing, cache_folder(), say)
        for number, name in enumerate(missing, 1):
            _build_once(PROGRAMS[name], toolchain, f"{name} ({number} of {len(missing)})", say)
    paths = {name: find(name) for name in wanted}
    return {name: path for name, path in paths.items() if path}


def _build_once(program: Program, toolchain: Toolchain, label: str, say: Say) -> None:
    target = cached(program)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_suffix(".lock"), label, say):
        if find(program.name) is None:
            _build(program, toolchain, target, label, say)


def _build(program: Program, toolchain: Toolchain, target: Path, label: str, say: Say) -> None:
    unfinished = target.with_suffix(f".{os.getpid()}")
    log = target.with_suffix(".log")
    command = [str(toolchain.go), "build", "-trimpath", "-buildvcs=false"]
    command += ["-ldflags", program.ldflags, "-o", str(unfinished), program.package]
    with ExitStack() as leaving, log.open("wb") as output:
        leaving.callback(unfinished.unlink, missing_ok=True)
        go = leaving.enter_context(_group(command, program, toolchain, output))
        if _await(go, f"building {label} {program.version}", say):
            said = log.read_text(errors="replace")[-2000:]
            raise BuildFailed(f"{program.name} {program.version} was not built: {said}")
        unfinished.rename(target)


def _await(go: "subprocess.Popen[bytes]", what: str, say: Say) -> int:
    """The exit code of `go`; until then a line every few seconds."""
    began = time.monotonic()
    say(f"{what}: started")
    while True:
        try:
            code = go.wait(PROGRESS_EVERY)
        except subprocess.TimeoutExpired:
            say(f"{what}: {time.monotonic() - began:.0f} s so far")
        else:
            say(f"{what}: {'failed' if code else 'done'} in {time.monotonic() - began:.0f} s")
            return code


@contextmanager
def _group(
    command: list[str], program: Program, toolchain: Toolchain, output: object
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `go` in a process group of its own, and end all its compilers when we are stopped."""
    go = subprocess.Popen(
        command,
        cwd=program.folder,
        env=environment(toolchain),
        stdin=subprocess.DEVNULL,
        stdout=output,  # type: ignore[call-overload]
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield go
    finally:
        if go.poll() is None:
            os.killpg(go.pid, signal.SIGKILL)
            go.wait()


@contextmanager
def _locked(path: Path, label: str, say: Say) -> Iterator[None]:
    """Hold an exclusive lock on `path`. The kernel frees it when its holder dies."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"building {label}: waiting for another build of it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
