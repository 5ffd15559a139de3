"""The launcher: which Python it takes, and when it installs."""

import os
import sys
from pathlib import Path

import pytest

from bootstrap import launch


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing installed but what a test puts into `bin` and `pyenv`."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_a_shim_that_fails_is_skipped(machine: Path) -> None:
    program(machine / "bin", "python3.13", "echo 'pyenv: python3.13: command not found'; exit 127")
    works = program(machine / "bin", "python3.12", "echo 3.12.1")
    assert launch.newest_python() == (str(works), (3, 12, 1))


def test_the_newest_is_taken_wherever_it_is(machine: Path) -> None:
    program(machine / "bin", "python3", "echo 3.11.7")
    newest = program(machine / "pyenv/versions/3.13.0/bin", "python", "echo 3.13.0")
    program(machine / "pyenv/versions/3.12.9/bin", "python", "echo 3.12.9")
    assert launch.newest_python() == (str(newest), (3, 13, 0))


def test_a_python_too_old_is_told(machine: Path) -> None:
    program(machine / "bin", "python3", "echo 3.9.2")
    with pytest.raises(launch.LaunchError, match=r"needs Python 3\.11.*found 3\.9\.2"):
        launch.newest_python()


def test_nothing_is_done_when_the_locks_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    wanted = {"runtime.txt": "hash"}
    (tmp_path / "mcm-stamp.json").write_text(
        f'{{"python": "{os.path.realpath(sys.executable)}", "locks": {{"runtime.txt": "hash"}}}}'
    )
    assert launch._is_stamped(tmp_path, wanted)
    assert not launch._is_stamped(tmp_path, {"runtime.txt": "other"})


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(launch.LaunchError, match="MCM_VENV"):
        launch.ensure(tmp_path, dev=False)
