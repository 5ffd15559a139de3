"""What is left behind: nothing. What is killed: only our own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import detached
from testbed.api import Api
from testbed.cluster import Cluster
from testbed.process import Process, write_record
from testbed.waiting import wait_until

pytestmark = pytest.mark.cluster

SPOKEN: list[str] = []


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    detached.down(tmp_path, say=SPOKEN.append)


def processes_of(home: Path) -> list[str]:
    """Command lines that name this home folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{home}/" in command or f"{home} " in command:
            found.append(command)
    return found


def test_up_and_down_leave_nothing_and_keep_the_data(home: Path) -> None:
    detached.up(home, ["one"], say=SPOKEN.append)
    cluster = Cluster("one", home)
    assert cluster.ready()
    assert detached.status(home, ["one"], say=SPOKEN.append)
    before = uid(cluster.api), cluster.kubeconfig
    detached.down(home, say=SPOKEN.append)
    assert processes_of(home) == []
    assert not cluster.kubeconfig_path.exists()
    assert not detached.status(home, ["one"], say=SPOKEN.append)
    detached.up(home, ["one"], say=SPOKEN.append)
    assert (uid(cluster.api), cluster.kubeconfig) == before


def uid(api: Api) -> str:
    return str(api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])


def test_a_program_that_dies_is_started_again_and_kill_9_leaves_nothing(home: Path) -> None:
    detached.up(home, ["one"], say=SPOKEN.append)
    kwok = next(child for child in Cluster("one", home).children if child.name == "one.kwok")
    before = kwok.process
    assert before is not None
    before.signal(signal.SIGKILL)
    wait_until(lambda: kwok.process not in (None, before), "a new kwok", timeout=10)
    assert "one.kwok ended" in detached.log_path(home).read_text()
    owner = detached.owner(home)
    assert owner is not None
    owner.signal(signal.SIGKILL)
    wait_until(lambda: processes_of(home) == [], "the end of the children", timeout=10)


def test_kill_and_restart_reach_a_fleet_of_another_process(home: Path) -> None:
    detached.up(home, ["one"], say=SPOKEN.append)
    cluster = Cluster("one", home)
    cluster.restart()
    cluster.kill()
    assert not cluster.ready()
    assert "one.kube-apiserver ended" in detached.log_path(home).read_text()
    cluster.restart()
    assert cluster.ready()


def test_a_signal_to_the_whole_group_stops_in_order(home: Path) -> None:
    command = [sys.executable, "-m", "testbed", "serve", "--home", str(home), "--clusters", "one"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0) as serve:
        assert serve.stdout is not None
        for line in serve.stdout:
            if line == "fleet ready\n":
                break
        os.killpg(serve.pid, signal.SIGINT)
        assert serve.wait(timeout=10) == 0
    assert processes_of(home) == []


def test_a_signal_during_the_start_stops_too(home: Path) -> None:
    command = [sys.executable, "-m", "testbed", "serve", "--home", str(home), "--clusters", "one"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serve:
        assert serve.stdout is not None
        assert any(line == "one: starting\n" for line in serve.stdout)
        serve.terminate()
        assert serve.wait(timeout=10) == 0
    assert processes_of(home) == []


def test_a_fleet_stops_when_its_last_user_is_gone(home: Path) -> None:
    users = home / "users.lock"
    users.touch()
    detached.spawn(home, ["one"], until_unused=users)
    wait_until(lambda: detached.owner(home) is not None, "the fleet", timeout=10)
    wait_until(lambda: processes_of(home) == [], "its end", timeout=60)


def test_down_spares_a_stranger_with_a_recorded_pid(home: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        record = home / "run" / "one.kwok.json"
        write_record(record, stranger.pid)
        # The same pid, but started at another time: the number was used again.
        known = json.loads(record.read_text())
        record.write_text(json.dumps(known | {"identity": known["identity"] + "0"}))
        detached.down(home, say=SPOKEN.append)
        assert stranger.poll() is None
        assert Process.of(stranger.pid).alive
        stranger.kill()
