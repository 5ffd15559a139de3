"""Where programs come from."""

import os
import stat
from pathlib import Path

import pytest

from testbed import build, toolchain
from testbed.build import PROGRAMS, BuildFailed, ensure, find
from testbed.toolchain import MissingGo

SPOKEN: list[str] = []


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No assets, an empty cache, no Go and no network: each test plants what it needs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setattr(toolchain, "_imported_wheel", lambda: None)
    monkeypatch.setattr(toolchain, "_installed_wheel", lambda _cache, _say: None)
    (tmp_path / "bin").mkdir()
    SPOKEN.clear()
    return tmp_path


def plant(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def plant_go(folder: Path, version: str, building: str = "exit 0") -> None:
    """A `go` that names itself and its root, and runs `building` with $out as the output file."""
    go = folder / "bin" / "go"
    script = (
        f'if [ "$1" = env ]; then echo {version}; echo {folder}; exit 0; fi\n'
        'while [ "$1" != -o ]; do shift; done; out="$2"\n' + building
    )
    plant(go, script)


def test_versions_come_from_go_mod() -> None:
    assert PROGRAMS["kube-apiserver"].version == "v1.37.2"
    assert PROGRAMS["etcd"].version.startswith("v3.")
    assert PROGRAMS["helm-3"].version.startswith("v3.")


def test_no_machine_paths_in_go_mod() -> None:
    for program in PROGRAMS.values():
        lines = (program.folder / "go.mod").read_text()
        assert "=> /" not in lines
        assert "=> ." not in lines
        assert (program.folder / "go.sum").exists()


def test_assets_win_over_the_cache(empty_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(build.cached(PROGRAMS["etcd"]))
    asset = plant(empty_machine / "assets" / "etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(empty_machine / "assets"))
    assert find("etcd") == asset


def test_the_cache_fills_what_assets_lack(
    empty_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(empty_machine / "assets"))
    planted = plant(build.cached(PROGRAMS["kwok"]))
    assert planted == empty_machine / "cache/mcm" / f"kwok-{PROGRAMS['kwok'].version}" / "kwok"
    assert ensure(["kwok"], say=SPOKEN.append) == {"kwok": planted}
    assert SPOKEN == []


def test_missing_go_names_three_ways_out() -> None:
    with pytest.raises(MissingGo) as caught:
        ensure(["etcd", "kwok"], say=SPOKEN.append)
    for word in ("install Go >= 1.26", "KUBEBUILDER_ASSETS", "etcd, kwok", "make run"):
        assert word in str(caught.value)


def test_an_old_go_is_refused_by_its_version(empty_machine: Path) -> None:
    plant_go(empty_machine, "go1.22.1")
    with pytest.raises(MissingGo, match=r"is 1\.22\.1"):
        ensure(["etcd"], say=SPOKEN.append)


def test_the_wheel_stands_in_for_an_old_go(
    empty_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_go(empty_machine, "go1.22.1")
    wheel = empty_machine / "wheel"
    plant_go(wheel, "go1.99.0", 'echo built > "$out"; /bin/chmod +x "$out"')
    monkeypatch.setattr(toolchain, "_imported_wheel", lambda: wheel / "bin" / "go")
    assert ensure(["etcd"], say=SPOKEN.append)["etcd"].read_text() == "built\n"


def test_a_build_is_announced_and_leaves_nothing_else(empty_machine: Path) -> None:
    plant_go(empty_machine, "go1.99.0", 'echo built > "$out"; /bin/chmod +x "$out"')
    path = ensure(["etcd"], say=SPOKEN.append)["etcd"]
    assert os.access(path, os.X_OK)
    assert SPOKEN[0].startswith("building etcd (1 of 1)")
    assert "done in" in SPOKEN[-1]
    assert {file.name for file in path.parent.iterdir()} == {"etcd", "etcd.lock", "etcd.log"}


def test_a_failed_build_says_why(empty_machine: Path) -> None:
    plant_go(empty_machine, "go1.99.0", 'echo half > "$out"; echo no network; exit 1')
    with pytest.raises(BuildFailed, match="no network"):
        ensure(["etcd"], say=SPOKEN.append)
    assert find("etcd") is None
