"""The runner: lines at once, limits, and nothing left alive."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deployments.helm import programs, runner, workspace
from deployments.helm.errors import HelmCancelled, HelmFailed, HelmKilled, HelmMissing, HelmTimedOut
from deployments.helm.lines import LINE_LIMIT, TOTAL_LIMIT, plain
from deployments.helm.runner import Finished, Limits

ENV = {"PATH": os.defpath}
QUICK = Limits(grace=0.5)


def python(code: str, **options: object) -> Finished:
    """Run some Python in a child."""
    settings = {"env": ENV, "deadline": 30.0, "limits": QUICK} | options
    return runner.run([sys.executable, "-I", "-S", "-c", code], **settings)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def gone(pid: int, within: float = 3) -> bool:
    """Wait for the end of a process."""
    end = time.monotonic() + within
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


def test_lines_come_at_once() -> None:
    times: list[tuple[str, float]] = []
    code = "import time\nfor n in range(3): print(n, flush=True); time.sleep(.4)"
    finished = python(code, on_line=lambda line: times.append((line, time.monotonic())))
    assert [line for line, _ in times] == ["0", "1", "2"]
    assert times[2][1] - times[0][1] > 0.6
    assert (finished.code, finished.tail) == (0, ("0", "1", "2"))


def test_both_outputs_are_lines_unless_stdout_is_kept() -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    assert python(code).tail == ("out", "err")
    finished = python(code, keep_stdout=True)
    assert (finished.code, finished.tail, finished.answer) == (3, ("err",), b"out\n")


def test_escapes_and_control_characters_are_taken_out() -> None:
    assert plain("\x1b[31mred\x1b[0m \x1b]0;title\x07\x00a\tb\x9b\u202e") == "red a\tb"
    lines: list[str] = []
    python(r"print('a\rb\r\n\x1b[2Jc', end='')", on_line=lines.append)
    assert lines == ["a", "b", "c"]


def test_endless_output_is_cut_and_drained() -> None:
    lines: list[str] = []
    code = "import os\nfor _ in range(400): os.write(1, b'x' * 65536)\nos.write(1, b'\\n' * 3)"
    python(code, on_line=lines.append)
    assert [len(line) for line in lines] == [LINE_LIMIT, 0, 0]
    lines.clear()
    code = "import os\nfor _ in range(9000): os.write(1, b'y' * 999 + b'\\n')\nos.write(1, b'end')"
    finished = python(code, on_line=lines.append)
    assert sum(map(len, lines)) <= TOTAL_LIMIT
    assert "cut" in lines[-1]
    assert finished.tail[-1] == "end"


def test_too_large_an_answer_is_an_error() -> None:
    with pytest.raises(HelmFailed, match="larger"):
        python("print('x' * 5000000)", keep_stdout=True, limits=Limits(answer=1 << 20))


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["deadline", "cancel", "listener"])
def test_the_whole_group_is_ended(how: str) -> None:
    lines: list[str] = []

    def listen(line: str) -> None:
        lines.append(line)
        if how == "listener":
            raise RuntimeError("the listener broke")

    def cancelled() -> bool:
        return how == "cancel" and bool(lines)

    error = {"deadline": HelmTimedOut, "cancel": HelmCancelled, "listener": RuntimeError}[how]
    start = time.monotonic()
    with pytest.raises(error):
        python(STUBBORN, on_line=listen, cancelled=cancelled, deadline=1.5)
    assert time.monotonic() - start < 5
    for pid in map(int, lines[0].split()):
        assert gone(pid)


def test_a_left_over_child_does_not_hold_the_run() -> None:
    lines: list[str] = []
    code = "import os, time\nif os.fork() == 0: time.sleep(60)\nelse: print('done', flush=True)"
    start = time.monotonic()
    assert python(code, on_line=lines.append).code == 0
    assert time.monotonic() - start < 3
    assert lines == ["done"]


def test_a_polite_end_is_waited_for() -> None:
    code = (
        "import os, signal, sys, time\n"
        "def end(*_): os.write(1, b'marked as failed'); sys.exit(1)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)"
    )
    lines: list[str] = []
    with pytest.raises(HelmCancelled):
        python(code, on_line=lines.append, cancelled=lambda: bool(lines), limits=Limits(grace=5))
    assert lines == ["up", "marked as failed"]


def test_a_signal_is_named() -> None:
    with pytest.raises(HelmKilled, match="SIGKILL") as caught:
        python("import os; os.kill(os.getpid(), 9)")
    assert caught.value.signal == signal.SIGKILL


def test_processor_time_is_limited() -> None:
    with pytest.raises(HelmKilled, match=r"SIGXCPU|SIGKILL"):
        python("while True: pass", limits=Limits(cpu_seconds=1))


def test_file_size_and_core_are_limited(tmp_path: Path) -> None:
    code = (
        "import resource as r\n"
        "print(*(r.getrlimit(x)[0] for x in (r.RLIMIT_FSIZE, r.RLIMIT_CORE, r.RLIMIT_NOFILE)))"
    )
    assert python(code, cwd=tmp_path).tail == ("268435456 0 256",)


def test_memory_limit_of_a_go_program_is_named() -> None:
    helm = programs.find("helm")
    with pytest.raises(HelmKilled, match="out of memory"):
        runner.run([helm.path, "version"], env=ENV, deadline=20, limits=Limits(memory=256 << 20))


def test_the_child_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from deployments.helm import runner\n"
        "runner.run([sys.executable, '-c', 'import os,time; print(os.getpid(), flush=True);"
        " time.sleep(60)'], env={}, deadline=60, on_line=lambda l: print(l, flush=True))"
    )
    root = str(Path(runner.__file__).parents[2])
    pids: list[int] = []

    def kill_parent(line: str) -> None:
        pids.append(int(line))
        parent = int(Path(f"/proc/{line}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(parent, signal.SIGKILL)

    with pytest.raises(HelmKilled):
        runner.run(
            [sys.executable, "-c", code, root],
            env=ENV,
            cwd=tmp_path,
            deadline=20,
            on_line=kill_parent,
        )
    assert gone(pids[0])


def test_a_missing_program_is_said() -> None:
    with pytest.raises(HelmMissing):
        runner.run(["/nowhere/helm"], env=ENV, deadline=1)


def test_a_workspace_is_private_and_leaves_nothing() -> None:
    with workspace.opened() as place:
        path = place.write("kubeconfig", "secret")
        assert place.folder.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_mode & 0o777 == 0o600
        assert place.hide(f"open {path}: no") == "open kubeconfig: no"
        assert not {"HTTPS_PROXY", "SECRET_KEY"} & set(place.env(path))
    assert not place.folder.exists()


def test_the_sweep_takes_only_what_is_abandoned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, young = tmp_path / "mcm-helm-dead", tmp_path / "mcm-helm-young"
    for folder in (dead, young):
        folder.mkdir(mode=0o700)
        (folder / "lock").touch()
    old = time.time() - 3600
    with workspace.opened() as place:
        for folder in (dead, place.folder):
            os.utime(folder, (old, old))
        assert workspace.sweep() == 1
        assert place.folder.exists()
    assert young.exists()
    assert not dead.exists()


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError), workspace.opened():
        pass


def test_a_named_program_wins_and_a_wrong_one_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    helm = programs.from_wheel("helm")
    monkeypatch.setenv("MCM_HELM_BIN", str(helm))
    assert programs.find("helm").path == helm
    assert programs.find("helm").major == 4
    monkeypatch.setenv("MCM_HELM_BIN", str(tmp_path / "none"))
    with pytest.raises(HelmMissing, match="MCM_HELM_BIN"):
        programs.find("helm")


def test_an_old_program_on_path_does_not_hide_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = tmp_path / "helm"
    old.write_text("#!/bin/sh\necho v2.17.0\n")
    old.chmod(0o755)
    monkeypatch.delenv("MCM_HELM_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.find("helm").path == programs.from_wheel("helm")


def test_many_may_unpack_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    code = (
        "from deployments.helm import programs; print(programs.from_wheel('helm').stat().st_size)"
    )
    root = str(Path(runner.__file__).parents[2])

    running = [
        subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    sizes = {one.communicate(timeout=60)[0] for one in running}
    assert len(sizes) == 1
    assert int(sizes.pop()) > 50 << 20
    assert [
        path.name for path in (tmp_path / "mcm").glob("helm-*/*") if path.suffix == ".part"
    ] == []


def test_a_broken_listener_lets_the_program_end_politely(tmp_path: Path) -> None:
    code = (
        "import pathlib, signal, sys, time\n"
        "def end(*_): print('more'); pathlib.Path('marked').touch(); sys.exit(1)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)"
    )
    seen: list[str] = []

    def listen(line: str) -> None:
        seen.append(line)
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError, match="gone"):
        python(code, on_line=listen, cwd=tmp_path, limits=Limits(grace=5))
    assert (tmp_path / "marked").exists()
    assert seen == ["up"]
