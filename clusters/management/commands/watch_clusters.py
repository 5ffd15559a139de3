"""`manage.py watch_clusters`: holds the watches of the registered clusters; run several."""

import asyncio
import faulthandler
import gc
import logging
import os
import secrets
import signal
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis.asyncio
import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from clusters import live, vault
from clusters.collector import Collector, Shared, forever, report_life, report_sealed, run_in
from clusters.kube.types import Connection
from clusters.models import Cluster
from clusters.store import leases

TICK_SECONDS = 2.0
ALIVE_SECONDS = 10

log = logging.getLogger(__name__)


@dataclass
class Watched:
    """A cluster that this process holds, and the task that follows it."""

    held: leases.Held
    collector: Collector
    task: asyncio.Task[None]

    def still(self, held: leases.Held | None) -> bool:
        """Whether it can go on under this lease."""
        if held is None or self.task.done():
            return False
        mine = self.held
        return (held.fence, held.connection_version) == (mine.fence, mine.connection_version)


class Watcher:
    """Takes clusters by lease and runs a collector for each."""

    def __init__(self) -> None:
        # Containers may share a host's name, and the numbers of processes with it.
        self.owner = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.shared = Shared()
        # Of its own: leases that wait for anything else run out.
        self.lease_thread = ThreadPoolExecutor(1, thread_name_prefix="leases")
        self.redis = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=3)
        self.ticked = asyncio.Event()
        self.watched: dict[UUID, Watched] = {}

    async def run(self, stop: asyncio.Event, write: Any) -> None:
        speaking = asyncio.create_task(self._speak(write))
        while not stop.is_set():
            try:
                await self._tick()
                self.ticked.set()
            except (DatabaseError, OSError) as error:
                write(f"watcher: {error}")
            except Exception:
                # The clusters that are watched must not lose their watcher for it.
                log.exception("watcher: a tick failed")
            try:
                await asyncio.wait_for(stop.wait(), TICK_SECONDS)
            except TimeoutError:
                continue
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        await self._stop(list(self.watched))
        await asyncio.to_thread(self.shared.close)
        await run_in(self.lease_thread, leases.release, self.owner)
        await self.redis.aclose()

    async def _speak(self, write: Any) -> None:
        """Says after each tick that a watcher lives. Leases must not wait for Redis."""
        while True:
            await self.ticked.wait()
            self.ticked.clear()
            try:
                await self.redis.set(live.WATCHER_ALIVE, self.owner, ex=ALIVE_SECONDS)
                await asyncio.to_thread(live.catch_up)
            except (redis.RedisError, OSError) as error:
                write(f"watcher: {error}")

    async def _tick(self) -> None:
        held = await run_in(self.lease_thread, leases.renew_and_take, self.owner)
        watched = list(self.watched.items())
        await self._stop(key for key, one in watched if not one.still(held.get(key)))
        for cluster_id, lease in held.items():
            if cluster_id not in self.watched:
                await self._try(cluster_id, lease)
            if cluster_id in self.watched:
                self.watched[cluster_id].collector.follow(lease.customs)
        alive = [key for key, one in self.watched.items() if one.collector.live]
        if alive:
            await run_in(self.lease_thread, report_life, alive)

    async def _try(self, cluster_id: UUID, held: leases.Held) -> None:
        try:
            await self._start(cluster_id, held)
        except DatabaseError:
            raise
        except Exception:
            # One that cannot be started must not stop the others.
            log.exception("watcher: the cluster %s cannot be watched", cluster_id)

    async def _start(self, cluster_id: UUID, held: leases.Held) -> None:
        try:
            name, connection = await run_in(self.lease_thread, _open, cluster_id)
        except Cluster.DoesNotExist:
            return  # deleted since it was leased
        except vault.CannotOpen as error:
            await run_in(self.shared.signs, report_sealed, cluster_id, error)
            return
        collector = Collector(connection, held.fence, self.shared)
        task = asyncio.create_task(forever(name, collector.run))
        self.watched[cluster_id] = Watched(held, collector, task)

    async def _stop(self, cluster_ids: Iterable[UUID]) -> None:
        tasks = [self.watched.pop(cluster_id).task for cluster_id in cluster_ids]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _open(cluster_id: UUID) -> tuple[str, Connection]:
    cluster = Cluster.objects.get(pk=cluster_id)
    return cluster.name, cluster.connection


class Command(BaseCommand):
    help = "Watches the registered clusters and keeps their objects in the database."

    def handle(self, *args: Any, **options: Any) -> None:
        # What each thread does, for who wants to know why it stands still.
        faulthandler.register(signal.SIGUSR1)
        uvloop.run(self._main())

    async def _main(self) -> None:
        # What was imported stays. To look through all of it takes 70 ms, in which nothing is read.
        gc.freeze()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        watcher = Watcher()
        self.stdout.write(f"watching as {watcher.owner}")
        await watcher.run(stop, self.stderr.write)
