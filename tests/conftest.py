"""The fixed cast: people with roles on the cluster `prod`, or only on its namespace `shop`."""

import asyncio
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client

from clusters import live
from clusters.kube import kubeconfig
from clusters.models import Cluster, Environment, Namespace, Object
from deployments.models import Chart, Release
from operations.models import Operation
from teams.models import User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from tests import factories

pytest_plugins = ["testbed.fixtures"]

# Redis' channels are not divided into databases: each worker of pytest-xdist speaks on its own.
live.CHANNEL += os.environ.get("PYTEST_XDIST_WORKER", "")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests that commit empty all tables afterwards, which the audit trail refuses."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE teams_auditevent DISABLE TRIGGER trail_not_emptied")
        cursor.execute("ALTER TABLE teams_transcriptpiece DISABLE TRIGGER transcripts_not_emptied")


@pytest.fixture
def real(db: None, cluster: RealCluster) -> Cluster:
    """The real test cluster, registered."""
    connection = kubeconfig.parse(cluster.kubeconfig)
    return factories.ClusterFactory.create(name="real", connection=connection)


@pytest.fixture
def prod(db: None) -> Cluster:
    return factories.ClusterFactory.create(name="prod", environment=Environment.PROD)


@pytest.fixture
def other(db: None) -> Cluster:
    """A cluster of somebody else."""
    return factories.ClusterFactory.create(name="other")


@pytest.fixture
def shop(prod: Cluster) -> Namespace:
    return factories.NamespaceFactory.create(cluster=prod, name="shop")


@pytest.fixture
def bank(prod: Cluster) -> Namespace:
    """The other namespace of prod."""
    return factories.NamespaceFactory.create(cluster=prod, name="bank")


@pytest.fixture
def admin(db: None) -> User:
    """A platform admin."""
    return factories.UserFactory.create(username="admin", is_superuser=True, is_staff=True)


@pytest.fixture
def owner(prod: Cluster) -> User:
    """Administers prod."""
    return _person("owner", Role.ADMIN, prod)


@pytest.fixture
def operator(prod: Cluster) -> User:
    """Operates prod."""
    return _person("operator", Role.OPERATOR, prod)


@pytest.fixture
def viewer(prod: Cluster) -> User:
    """Sees prod."""
    return _person("viewer", Role.VIEWER, prod)


@pytest.fixture
def shop_operator(shop: Namespace) -> User:
    """Operates the namespace shop of prod, and nothing else."""
    return _person("shop-operator", Role.OPERATOR, shop)


@pytest.fixture
def shop_viewer(shop: Namespace) -> User:
    """Sees the namespace shop of prod, and nothing else."""
    return _person("shop-viewer", Role.VIEWER, shop)


@pytest.fixture
def outsider(other: Cluster) -> User:
    """Administers the other cluster, and sees nothing of prod."""
    return _person("outsider", Role.ADMIN, other)


def _person(name: str, role: Role, scope: Cluster | Namespace) -> User:
    user = factories.UserFactory.create(username=name)
    factories.give(user, role, scope)
    return user


@pytest.fixture
def pod(prod: Cluster, shop: Namespace) -> Object:
    """A pod in shop."""
    return factories.PodFactory.create(cluster=prod, namespace="shop", name="web-1")


@pytest.fixture
def release(prod: Cluster, shop: Namespace) -> Release:
    """A release in shop."""
    return factories.ReleaseFactory.create(cluster=prod, namespace="shop", name="web")


@pytest.fixture
def operation(prod: Cluster, shop: Namespace) -> Operation:
    """Queued work in shop."""
    return factories.OperationFactory.create(cluster=prod, namespace="shop", target="queued")


@pytest.fixture
def chart(db: None) -> Chart:
    return factories.ChartFactory.create()


@pytest.fixture(autouse=True)
def just_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`force_login` stands for a password typed just now: dangerous acts do not ask again."""
    plain = Client.force_login

    def force_login(self: Client, user: User, backend: str | None = None) -> None:
        plain(self, user, backend)
        session = self.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
        session["account_authentication_methods_user"] = str(user.pk)
        session.save()

    monkeypatch.setattr(Client, "force_login", force_login)


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def told() -> Callable[[], AbstractContextManager[list[dict[str, Any]]]]:
    """What the pages are told during `with told() as messages`, straight from Redis."""

    @contextmanager
    def listen() -> Iterator[list[dict[str, Any]]]:
        messages: list[dict[str, Any]] = []
        with redis.Redis.from_url(settings.REDIS_URL) as store, store.pubsub() as channel:
            channel.subscribe(live.CHANNEL)
            assert channel.get_message(timeout=5)
            yield messages
            store.publish(live.CHANNEL, json.dumps({"topic": "end"}))
            while message := channel.get_message(timeout=5):
                said = json.loads(message["data"])
                if said["topic"] == "end":
                    return
                messages.append(said)

    return listen


@pytest.fixture
async def quiet_hub() -> AsyncIterator[None]:
    """A hub of this test's own, whose subscription ends with the test."""
    live.hub.cache_clear()
    yield
    listener = live.hub()._listener
    if listener is not None:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
    live.hub.cache_clear()
