"""The peers that are programs: the one of `informer/`, built once with Go, and kubectl."""

import hashlib
import os
import re
import subprocess
from functools import cache
from pathlib import Path

from deployments.helm import programs as helm
from deployments.helm.types import Program
from testbed.build import BuildFailed, cache_folder
from testbed.toolchain import Say, environment, find_go

SOURCES = Path(__file__).parent / "informer"


def client_go() -> str:
    """The version that `informer/go.mod` names."""
    return str(_in_module(r"k8s\.io/client-go (v\S+)"))


def informer(say: Say) -> Path:
    """The program of `informer/`, from the cache or built. Raises MissingGo, BuildFailed."""
    digest = hashlib.sha256()
    for file in sorted(SOURCES.iterdir()):
        digest.update(file.read_bytes())
    target = cache_folder() / f"bench-informer-{digest.hexdigest()[:16]}" / "informer"
    if not target.exists():
        toolchain = find_go(_in_module(r"^go (\S+)$"), ["informer"], cache_folder(), say)
        say("building bench/informer with Go (once)")
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(f".{os.getpid()}")
        command = [str(toolchain.go), "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]
        done = subprocess.run(
            [*command, "-o", str(unfinished), "."],
            cwd=SOURCES,
            env=environment(toolchain),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildFailed(f"bench/informer was not built: {done.stderr[-2000:]}")
        unfinished.rename(target)
    return target


@cache
def kubectl() -> Program:
    """The one of the wheel that MCM brings along, whatever else is on this machine."""
    return helm.probe("kubectl", helm.from_wheel("kubectl"))


def _in_module(pattern: str) -> str:
    found = re.search(pattern, (SOURCES / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise BuildFailed(f"bench/informer/go.mod says nothing of {pattern}")
    return found[1]
