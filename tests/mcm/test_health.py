"""`/healthz` and `/readyz`: by name, in time, to everyone, without secrets."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings as configured
from django.test import AsyncClient
from pytest_django import Settings

from mcm import health, heartbeat
from mcm.embedded import ports, programs
from tests.mcm.asked import asked

KEYS = [*map(heartbeat.worker_key, programs.QUEUES), heartbeat.WATCHER]


@pytest.fixture
def store() -> Iterator["redis.Redis"]:
    client = redis.Redis.from_url(configured.REDIS_URL)
    for key in KEYS:
        client.set(key, "here")
    yield client
    client.delete(*KEYS)
    client.close()


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_latest", health._Latest())


async def test_ready_when_all_answer(store: "redis.Redis", async_client: AsyncClient) -> None:
    answer = await async_client.get("/readyz")
    assert answer.status_code == 200
    assert set(answer.json()) == {"database", "redis", "worker", "watcher"}


async def test_all_who_ask_a_process_at_once_share_one_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody has to log in to ask: it must not cost a connection to each server every time."""
    made, go_on = [], threading.Event()

    async def report() -> health.Report:
        made.append(1)
        await asyncio.to_thread(go_on.wait, 10)
        return {}

    monkeypatch.setattr(health, "_report", report)
    answers = [asyncio.create_task(asked("/readyz")) for _ in range(40)]
    async with asyncio.timeout(10):
        while not made:  # noqa: ASYNC110 - what asks is another thread
            await asyncio.sleep(0.01)
    go_on.set()
    assert await asyncio.gather(*answers) == 40 * [(200, 0)]
    assert made == [1]


async def test_a_silent_worker_is_named(store: "redis.Redis", async_client: AsyncClient) -> None:
    store.delete(heartbeat.worker_key("operations"))
    answer = await async_client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["worker"] == {
        "ok": False,
        "detail": "no sign of life: queue operations",
    }
    assert answer.json()["watcher"]["ok"]


async def test_redis_down_is_told_within_three_seconds(
    settings: Settings, async_client: AsyncClient
) -> None:
    settings.REDIS_URL = f"redis://:planted-secret@127.0.0.1:{ports.choose()}/0"
    begun = time.monotonic()
    answer = await async_client.get("/readyz")
    assert time.monotonic() - begun < 3
    assert answer.status_code == 503
    assert answer.json()["redis"]["ok"] is False
    assert answer.json()["database"]["ok"] is True
    assert b"planted-secret" not in answer.content


async def test_frozen_servers_are_told_in_time(
    settings: Settings, async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A full queue: it accepts no more, and refuses nothing.
    with socket.socket() as frozen:
        frozen.bind(("127.0.0.1", 0))
        frozen.listen(0)
        port = frozen.getsockname()[1]
        settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        monkeypatch.setattr(
            health, "_conninfo", lambda: f"host=127.0.0.1 port={port} dbname=x user=x"
        )
        begun = time.monotonic()
        answer = await async_client.get("/readyz")
        assert time.monotonic() - begun < 3
    assert answer.status_code == 503
    assert "no answer" in answer.json()["redis"]["detail"]
    assert "no answer" in answer.json()["database"]["detail"]


async def test_alive_without_any_server(settings: Settings, async_client: AsyncClient) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{ports.choose()}/0"
    assert (await async_client.get("/healthz")).status_code == 200
