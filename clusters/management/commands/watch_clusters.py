"""`manage.py watch_clusters`: holds the watches of the registered clusters; run several."""

import asyncio
import logging
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import redis.asyncio
import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from clusters import live, vault
from clusters.collector import Collector, forever, report_life, report_sealed, run_in
from clusters.kube.types import Connection
from clusters.models import Cluster
from clusters.store import leases

TICK_SECONDS = 2.0
ALIVE_SECONDS = 10

log = logging.getLogger(__name__)


class Watcher:
    """Takes clusters by lease and runs a collector for each."""

    def __init__(self) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}"
        self.executor = ThreadPoolExecutor(4, thread_name_prefix="store")
        self.redis = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=3)
        self.collectors: dict[UUID, tuple[Collector, asyncio.Task[None], int]] = {}

    async def run(self, stop: asyncio.Event, write: Any) -> None:
        while not stop.is_set():
            try:
                await self._tick()
                await self.redis.set(live.WATCHER_ALIVE, self.owner, ex=ALIVE_SECONDS)
            except (DatabaseError, redis.RedisError, OSError) as error:
                write(f"watcher: {error}")
            except Exception:
                # The clusters that are watched must not lose their watcher for it.
                log.exception("watcher: a tick failed")
            try:
                await asyncio.wait_for(stop.wait(), TICK_SECONDS)
            except TimeoutError:
                continue
        await self._stop(list(self.collectors))
        await run_in(self.executor, leases.release, self.owner)
        await self.redis.aclose()

    async def _tick(self) -> None:
        held = await run_in(self.executor, leases.renew_and_take, self.owner)
        await self._stop(
            cluster_id
            for cluster_id, (collector, _task, version) in list(self.collectors.items())
            if held.get(cluster_id) != (collector.fence, version)
        )
        for cluster_id, (fence, version) in held.items():
            if cluster_id not in self.collectors:
                await self._start(cluster_id, fence, version)
        alive = [key for key, (collector, _, _) in self.collectors.items() if collector.live]
        if alive:
            await run_in(self.executor, report_life, alive)

    async def _start(self, cluster_id: UUID, fence: Any, version: int) -> None:
        try:
            name, connection = await run_in(self.executor, _open, cluster_id)
        except Cluster.DoesNotExist:
            return  # deleted since it was leased
        except vault.CannotOpen as error:
            await run_in(self.executor, report_sealed, cluster_id, error)
            return
        collector = Collector(connection, fence, self.executor)
        task = asyncio.create_task(forever(name, collector.run))
        self.collectors[cluster_id] = (collector, task, version)

    async def _stop(self, cluster_ids: Any) -> None:
        tasks = [self.collectors.pop(cluster_id)[1] for cluster_id in cluster_ids]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _open(cluster_id: UUID) -> tuple[str, Connection]:
    cluster = Cluster.objects.get(pk=cluster_id)
    return cluster.name, cluster.connection


class Command(BaseCommand):
    help = "Watches the registered clusters and keeps their objects in the database."

    def handle(self, *args: Any, **options: Any) -> None:
        uvloop.run(self._main())

    async def _main(self) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        watcher = Watcher()
        self.stdout.write(f"watching as {watcher.owner}")
        await watcher.run(stop, self.stderr.write)
