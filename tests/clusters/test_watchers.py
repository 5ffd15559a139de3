"""Watcher processes as they are run: fair shares, one killed, one stopped, settings that change."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from clusters.kube import kubeconfig
from clusters.models import Cluster, CustomResource, KindState, Lease
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests import factories

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

COUNT = 4
MANAGE = Path(__file__).parents[2] / "manage.py"


@contextmanager
def watcher() -> Iterator[subprocess.Popen[bytes]]:
    """A watcher process on this test's database; killed at the end, if it still runs."""
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    environment = {**os.environ, "DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}"}
    process = subprocess.Popen([sys.executable, str(MANAGE), "watch_clusters"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def held() -> Counter[str]:
    """How many clusters each watcher holds, by the process id in its name."""
    owners = Lease.objects.filter(expires__gt=Now()).values_list("owner", flat=True)
    return Counter(owner.split(":")[1] for owner in owners)


def live_since(began: Any) -> int:
    """How many clusters were seen live after `began`, by the database's clock."""
    return Cluster.objects.filter(observed_at__gt=began).count()


def now() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


def soon(check: Callable[[], bool], what: str, seconds: float = 60) -> float:
    """Waits until `check` is true; returns how many seconds that took."""
    began = time.monotonic()
    wait_until(check, what, timeout=seconds)
    return time.monotonic() - began


@pytest.fixture
def clusters(cluster: RealCluster) -> list[Cluster]:
    """The same real cluster under several names."""
    reached = kubeconfig.parse(cluster.kubeconfig)
    return factories.ClusterFactory.create_batch(COUNT, connection=reached)


def test_a_killed_watchers_clusters_are_live_again_at_the_other(clusters: list[Cluster]) -> None:
    began = now()
    with watcher() as one, watcher() as two:
        fair = {str(one.pid): 2, str(two.pid): 2}
        soon(lambda: held() == fair and live_since(began) == COUNT, "fair shares")
        two.kill()
        killed = now()
        # What the dead one still held is live again only when the other has listed it.
        moved = soon(lambda: held() == {str(one.pid): COUNT}, "the move", 15)
        seen = now()
        lived = soon(lambda: live_since(max(seen, killed)) == COUNT, "life", 15 - moved)
        assert moved + lived < 15
        one.send_signal(signal.SIGTERM)
        one.wait(20)
    # Whoever comes next need not wait for anything to run out.
    assert not Lease.objects.filter(expires__gt=Now()).exists()


def test_what_is_turned_on_and_off_takes_effect_while_it_runs(clusters: list[Cluster]) -> None:
    watched = clusters[0]
    kinds = KindState.objects.filter(cluster=watched)
    with watcher():
        soon(lambda: kinds.filter(state="watching").count() > 20, "nearly every kind")
        soon(lambda: not kinds.filter(observed_at=None).exists(), "the rest of them")
        before = set(kinds.values_list("kind", "observed_at"))
        custom = CustomResource.objects.create(
            cluster=watched, group="nowhere.example", version="v1", plural="ghosts", kind="Ghost",
            namespaced=True,
        )  # fmt: skip
        ghost = kinds.filter(kind=custom.full_kind)
        soon(ghost.filter(state="absent").exists, "the custom resource", 20)
        custom.delete()
        soon(lambda: not ghost.exists(), "its end", 20)
        # The other kinds did not notice.
        assert set(kinds.values_list("kind", "observed_at")) == before
        Cluster.objects.filter(pk=watched.pk).delete()
        soon(lambda: not Lease.objects.filter(cluster=watched.pk).exists(), "the end", 20)
