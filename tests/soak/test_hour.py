"""An hour of ordinary life: no cluster is flagged wrongly, nothing grows, nothing is lost.

`make soak`; with SOAK_MINUTES=6 a short look.
"""

import asyncio
import functools
import itertools
import json
import os
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from bench.apiserver import ApiServer, restart_count
from bench.instance import OURS, Product
from bench.measure import until
from bench.web import Connection, Reader, Socket, open_all
from testbed.api import Json
from tests.faults.conftest import Say
from tests.faults.processes import Taken
from tests.soak.machine import Machine

MINUTES = float(os.environ.get("SOAK_MINUTES", "60"))
REGISTRATIONS = 20
PODS = 200
PAGES = 50
PAUSE = 0.5  # seconds between two changes
LOOK = 5.0  # seconds between two looks at everything
PATH = "/api/v1/namespaces/team-00/pods"
# A created pod is deleted after so many more were.
KEPT = 20
FLAGGED = """
SELECT name, status, extract(epoch FROM clock_timestamp() - observed_at)::float
FROM clusters_cluster
WHERE status <> 'active' OR observed_at < clock_timestamp() - interval '15 seconds'
"""
LIVE = "SELECT count(*) FROM clusters_cluster WHERE status = 'active' AND observed_at IS NOT NULL"
STORED = """
SELECT c.name, o.namespace, o.name, o.restarts FROM clusters_object o
JOIN clusters_cluster c ON c.id = o.cluster_id WHERE o.kind = 'Pod'
"""
ADDRESSES = ("/", "/clusters/", "/pods/", "/pods/?health=failing", "/api/v1/objects?kind=Pod")

pytestmark = [pytest.mark.soak, pytest.mark.timeout(0)]


@pytest.fixture(autouse=True)
def no_settings_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is started here has a database and a Valkey of its own."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)


def test_an_hour_leaves_no_false_flag_no_growth_and_no_loss(tmp_path: Path, say: Say) -> None:
    machine = Machine()
    with (
        ApiServer(tmp_path / "cluster", say) as server,
        Product(tmp_path / "mcm") as product,
        machine,
    ):
        server.seed(PODS)
        names = [f"soak-{number:02d}" for number in range(REGISTRATIONS)]
        product.register({name: server.kubeconfig() for name in names})
        until(lambda: product.value(LIVE) == REGISTRATIONS, "live clusters", 120, every=0.5)
        try:
            flags, before, after = asyncio.run(lived(server, product, machine))
        except Exception:
            # What the supervisor did, such as starting a process again.
            say((product.home / "logs" / "bench-run.log").read_text()[-2000:])
            say(f"The machine stood still: {machine.stood or 'never'}")
            raise
        until(lambda: stored(product) == truth(server, names), "the same pods", 60, every=1)
    for name in before:
        say(f"{name}: {before[name]}, then {after[name]}")
    say(f"The machine stood still: {machine.stood or 'never'}")
    assert flags == []
    for name, was in before.items():
        now = after[name]
        assert now.megabytes <= was.megabytes * 1.1 + 10, name
        assert now.descriptors <= was.descriptors + 10, name
        assert now.threads <= was.threads + 4, name


async def lived(
    server: ApiServer, product: Product, machine: Machine
) -> tuple[list[Any], dict[str, Taken], dict[str, Taken]]:
    """What was flagged, and what each process held after the first quarter and at the end.

    The first quarter is where buffers and caches grow to their size.
    """
    headers = {"Cookie": f"sessionid={await asyncio.to_thread(product.cookie, 'admin')}"}
    sockets = [Socket(product.port, "/ws/live/", headers) for _ in range(PAGES)]
    await open_all(sockets)
    flags: list[Any] = []

    def got(html: str | None) -> None:
        if html is None:
            flags.append((time.strftime("%X"), "a page was given no rows"))

    for socket in sockets:
        Reader(socket, got)
        socket.say({"watch": {"topics": ["pods"]}})
    living = [
        asyncio.create_task(changed(server)),
        asyncio.create_task(looked(product, headers, machine, flags)),
    ]
    held = []
    for share in (0.25, 0.75):
        done, _ = await asyncio.wait(
            living, timeout=MINUTES * 60 * share, return_when=asyncio.FIRST_EXCEPTION
        )
        for ended in done:
            ended.result()  # which raises what ended it
        held.append(taken(product))
    for task in living:
        task.cancel()
    await asyncio.gather(*living, return_exceptions=True)
    await heard_by_all(server, sockets)
    before, after = held
    return flags, before, after


async def changed(server: ApiServer) -> None:
    """Pods restart, come and go."""
    seeded, made = server.pods(), deque[str]()
    for number in itertools.count():
        if number % 2:
            pod = seeded[number % len(seeded)]
            await asyncio.to_thread(restart_count, server.api, pod, number)
        else:
            await asyncio.to_thread(server.api.post, PATH, pod_named(f"soak-{number}"))
            made.append(f"soak-{number}")
        if len(made) > KEPT:
            await asyncio.to_thread(server.api.delete, f"{PATH}/{made.popleft()}")
        await asyncio.sleep(PAUSE)


async def looked(
    product: Product, headers: dict[str, str], machine: Machine, flags: list[Any]
) -> None:
    """Looks at the pages, and for clusters that are flagged though nothing happened to them."""
    connection = Connection(product.port, headers)
    for address in itertools.cycle(ADDRESSES):
        await connection.get(address)
        connection.close()  # the server would, before the next look
        rows = product.database.execute(FLAGGED).fetchall()
        if not machine.settles:
            flags += [(time.strftime("%X"), *row) for row in rows]
        await asyncio.sleep(LOOK)


async def heard_by_all(server: ApiServer, sockets: list[Socket]) -> None:
    """Each page that was opened in the beginning still hears of a change."""
    heard = [asyncio.Event() for _ in sockets]
    for socket, event in zip(sockets, heard, strict=True):
        socket.heard = functools.partial(note, event)
    await asyncio.to_thread(restart_count, server.api, server.pods()[0], 999_999)
    async with asyncio.timeout(20):
        await asyncio.gather(*(event.wait() for event in heard))
    for socket in sockets:
        socket.close()


def note(event: asyncio.Event, message: Any) -> None:
    """What a page does that waits for a change."""
    if message["type"] == "changed":
        event.set()


def pod_named(name: str) -> Json:
    """A pod that nobody schedules."""
    container = {"name": "web", "image": "registry.example/web:1"}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}}


def taken(product: Product) -> dict[str, Taken]:
    """What each of our processes holds; PostgreSQL's come and go with their connections."""
    known = json.loads((product.home / "processes.json").read_text())
    return {name: Taken.by(pid) for name, (pid, *_) in known.items() if name != "postgres"}


def stored(product: Product) -> set[tuple[Any, ...]]:
    """Cluster, namespace, name and restarts of each pod as MCM has it."""
    return set(product.database.execute(STORED).fetchall())


def truth(server: ApiServer, names: list[str]) -> set[tuple[Any, ...]]:
    """The same as the API server has it."""
    pods = list(server.api.items("/api/v1/pods"))
    return {(name, *facts(pod)) for name in names for pod in pods}


def facts(pod: Json) -> tuple[str, str, int]:
    statuses = pod["status"].get("containerStatuses", [])
    restarts = sum(status["restartCount"] for status in statuses)
    return pod["metadata"]["namespace"], pod["metadata"]["name"], restarts
