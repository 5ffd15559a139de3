"""`manage.py run` for real: first start, second start, and every way to end."""

import http.client
import json
import os
import signal
import socket
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from mcm.embedded import state
from tests.mcm.instances import Run

Start = Callable[..., Run]


def get(port: int, path: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def pid_of(run: Run, name: str) -> int:
    return int(json.loads((run.home / "processes.json").read_text())[name][0])


@pytest.mark.timeout(600)
def test_a_second_start_keeps_the_data(run: Start) -> None:
    first = run()
    ready = first.until("MCM ready at")
    assert f"http://127.0.0.1:{first.port} (admin / " in ready
    assert get(first.port, "/readyz")[0] == 200

    again = run(first.home)
    assert again.process.wait(90) == 1
    assert f"pid {first.process.pid}" in again.output()
    assert "Traceback" not in again.output()

    with psycopg.connect(state.environment(first.home)["DATABASE_URL"]) as database:
        database.execute("UPDATE teams_user SET first_name = 'Ada'")

    begun = time.monotonic()
    first.stop(whole_group=True)
    assert time.monotonic() - begun < 20
    assert first.processes() == {}

    second = run(first.home, first.port)
    assert second.until("MCM ready at").endswith("(admin)")
    with psycopg.connect(state.environment(first.home)["DATABASE_URL"]) as database:
        rows = database.execute("SELECT username, first_name FROM teams_user").fetchall()
    assert rows == [("admin", "Ada")]
    second.stop()
    assert second.processes() == {}


@pytest.mark.timeout(600)
def test_the_dead_come_back_and_nothing_outlives_a_killed_supervisor(run: Start) -> None:
    first = run()
    first.until("MCM ready at")
    killed = pid_of(first, "web")
    os.kill(killed, signal.SIGKILL)
    first.until("web ended (killed by SIGKILL)", 10)
    deadline = time.monotonic() + 40
    while pid_of(first, "web") == killed or not _answers(first.port):
        assert time.monotonic() < deadline, first.output()
        time.sleep(0.1)

    servers = [pid_of(first, "postgres"), pid_of(first, "valkey")]
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    first.until_gone(15)
    assert not any(_lives(pid) for pid in servers)


def test_a_start_sweeps_what_outlived_the_last(run: Start, tmp_path: Path) -> None:
    stale = run(tmp_path / "home")
    stale.until("Starting PostgreSQL")
    deadline = time.monotonic() + 30
    while not (stale.home / "processes.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    valkey = pid_of(stale, "valkey")
    # Stopped, it cannot react to the death of its parent.
    os.kill(valkey, signal.SIGSTOP)
    stale.process.kill()
    stale.process.wait()
    next_one = run(stale.home)
    next_one.until("Starting Valkey", 90)
    assert not _lives(valkey)


def test_state_is_ours_alone(run: Start) -> None:
    instance = run()
    instance.until("Starting PostgreSQL")
    assert stat.S_IMODE(instance.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((instance.home / "state.json").stat().st_mode) == 0o600
    secret = state.environment(instance.home)["REDIS_URL"].split("@")[0].rpartition(":")[2]
    assert not any(secret in command for command in instance.processes().values())


def test_a_port_in_use_is_told_in_one_line(run: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        instance = run(port=taken.getsockname()[1])
        assert instance.process.wait(90) == 1
    (line,) = instance.output().splitlines()
    assert f"(pid {os.getpid()})" in line
    assert "MCM_PORT" in line


def test_a_folder_that_cannot_be_written_is_told_in_one_line(run: Start) -> None:
    instance = run(Path("/proc/mcm-home"))
    assert instance.process.wait(90) == 1
    (line,) = instance.output().splitlines()
    assert "/proc/mcm-home cannot be written" in line
    assert "MCM_HOME" in line


def _answers(port: int) -> bool:
    try:
        return get(port, "/healthz")[0] == 200
    except OSError:
        return False


def _lives(pid: int) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z"
