"""Registers clusters for the fault tests, follows them, and says what is stored and shown."""

import asyncio
import functools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import pytest
from django.test import Client as Browser
from django.utils import timezone
from django.utils.html import escape

from clusters.collector import Collector
from clusters.collector import cluster as collecting_one
from clusters.kube import kubeconfig, watch
from clusters.kube.client import Client
from clusters.kube.timing import Timing
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from clusters.management.commands import watch_clusters
from clusters.management.commands.watch_clusters import Watcher
from clusters.models import Cluster, CustomResource, Object
from teams.models import User
from tests import factories
from tests.clusters.sockets import in_database
from tests.waiting import until

# The real times, twenty times as fast.
FAST = Timing(
    connect=2, silence=5, sync=5, page=5, relist=600, first_pause=0.04, longest_pause=1.5, healthy=6
)


def hurry(patch: pytest.MonkeyPatch, timing: Timing = FAST, *, probe: float = 0) -> None:
    """Watches take their times from `timing`; probes ask every `probe` seconds, if given."""
    patch.setattr(watch_clusters, "TICK_SECONDS", 0.2)
    patch.setattr(watch, "follow", functools.partial(watch.follow, timing=timing))
    if probe:
        patch.setattr(collecting_one, "PROBE_SECONDS", probe)
        patch.setattr(collecting_one, "PROBE_DEADLINE", 2 * probe)


def port_of(config: str) -> int:
    """The port of the API server in a kubeconfig."""
    return urlsplit(kubeconfig.parse(config).server).port or 443


def read(reader: User, path: str) -> str:
    """What somebody gets at this address."""
    browser = Browser()
    browser.force_login(reader)
    return browser.get(path).content.decode()


@dataclass
class Watched:
    """A registered cluster, its collector, and somebody who looks at it."""

    pk: UUID
    connection: Connection
    collector: Collector
    reader: User

    async def turn_on(self, group: str, plural: str, kind: str) -> None:
        """From now on this custom resource is followed, in its version v1."""
        await in_database(CustomResource.objects.create)(
            cluster_id=self.pk, group=group, version="v1", plural=plural, kind=kind, namespaced=True
        )

    async def row(self) -> Cluster:
        """The cluster as it is stored."""
        return await in_database(Cluster.objects.get)(pk=self.pk)

    async def names(self, namespace: str = "") -> set[str]:
        """The names of its stored pods."""
        rows = Object.objects.filter(cluster_id=self.pk, kind="Pod")
        if namespace:
            rows = rows.filter(namespace=namespace)
        return await in_database(lambda: set(rows.values_list("name", flat=True)))()

    async def shown(self) -> dict[str, Any]:
        """What the API says of the cluster."""
        text = await self.read(f"/api/v1/clusters/{self.pk}")
        return dict(json.loads(text))

    async def tells(self, status: str, *, freshness: str = "", reason: str = "") -> None:
        """Asserts what the API, the fleet's page and the cluster's page say of it."""
        shown = await self.shown()
        assert shown["status"] == status
        assert reason in shown["statusReason"]
        if freshness:
            assert shown["freshness"] == freshness
        for path in ("/clusters/", f"/clusters/{self.pk}/"):
            page = await self.read(path)
            assert escape(shown["statusReason"]) in page
            assert f'data-fresh="{shown["freshness"]}"' in page

    async def read(self, path: str) -> str:
        """What a person gets at this address."""
        return await in_database(read)(self.reader, path)

    async def becomes(self, status: str, seconds: float = 30) -> float:
        """Waits until this status is stored; returns how long that took."""
        began = time.monotonic()
        await until(lambda: Cluster.objects.get(pk=self.pk).status == status, seconds)
        return time.monotonic() - began

    async def lives(self, seconds: float = 30) -> None:
        """Waits until the watcher vouches for what is stored."""
        began = timezone.now()

        def vouched() -> bool:
            row = Cluster.objects.get(pk=self.pk)
            return row.freshness == "live" and bool(row.observed_at and row.observed_at > began)

        await until(vouched, seconds)

    async def has(self, *names: str, kind: str = "Pod", seconds: float = 30) -> None:
        """Waits until the stored objects of the kind are just these."""
        rows = Object.objects.filter(cluster_id=self.pk, kind=kind)
        await until(lambda: set(rows.values_list("name", flat=True)) == set(names), seconds)

    async def agrees(self, kind: str = "Pod", seconds: float = 30) -> None:
        """Waits until what is stored of the kind equals a fresh list of the cluster."""
        async with asyncio.timeout(seconds):
            while await self._stored(kind) != await asyncio.to_thread(  # noqa: ASYNC110
                self._listed, kind
            ):
                await asyncio.sleep(0.05)

    async def _stored(self, kind: str) -> set[tuple[str, str, str]]:
        rows = Object.objects.filter(cluster_id=self.pk, kind=kind)
        return await in_database(lambda: {*rows.values_list("uid", "name", "status")})()

    def _listed(self, kind: str) -> set[tuple[str, str, str]]:
        with Client(self.connection, SERVICE_ACCOUNT) as client:
            return {(row.uid, row.name, row.status) for row in client.rows(kind)}


class Fleet:
    """A watcher in this process, and the clusters that it was given."""

    def __init__(self, reader: User) -> None:
        self.watcher = Watcher()
        self._reader = reader

    async def add(self, config: str, *, at: str = "", named: str = "") -> Watched:
        """Registers the cluster of a kubeconfig, seen `at` another address; it is live then.

        `named`: what its certificate must be made for, if not for the address.
        """
        connection = kubeconfig.parse(config)
        seen = msgspec.structs.replace(
            connection, server=at or connection.server, tls_server_name=named or None
        )
        stored = await in_database(factories.ClusterFactory.create)(connection=seen)
        async with asyncio.timeout(30):
            while stored.pk not in self.watcher.watched:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        collector = self.watcher.watched[stored.pk].collector
        watched = Watched(stored.pk, connection, collector, self._reader)
        await watched.lives()
        return watched


@asynccontextmanager
async def running(reader: User) -> AsyncIterator[Fleet]:
    """A watcher that runs during the block."""
    fleet, stop = Fleet(reader), asyncio.Event()
    task = asyncio.create_task(fleet.watcher.run(stop, print))
    try:
        yield fleet
    finally:
        stop.set()
        await task
