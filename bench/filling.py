"""Called by `bench.inside`: makes the rows of `bench.big` by the product's own writing."""

import random
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from bench import kinds
from bench.instance import OWNER
from bench.kinds import row
from clusters.kube.types import Connection, Row
from clusters.models import Cluster, Environment, Lease, Status
from clusters.store import rows
from deployments.models import Release

APPS = ("checkout", "catalog", "payments", "search", "auth", "web", "worker", "gateway")
LONG = timedelta(days=1)
# Port 1 of this machine is closed.
NOWHERE = Connection(server="https://127.0.0.1:1", token="none")  # noqa: S106 - opens nothing
RELEASES = 50


def fill(clusters: int, pods: int, namespaces: int) -> int:
    """Each cluster then has so many pods. Returns how many rows were written."""
    written = 0
    for number in range(clusters):
        cluster = _cluster(number)
        fence = rows.Fence(cluster.pk, OWNER, 1)
        chance = random.Random(number)  # noqa: S311 - the same rows each time
        now = int(time.time())
        made = [
            *_namespaces(number, namespaces),
            *kinds.others(number, pods, namespaces, now),
            *(_pod(number, pod, namespaces, chance, now) for pod in range(pods)),
        ]
        rows.flush(fence, _by_kind(made))
        written += len(made)
    return written


@transaction.atomic
def _cluster(number: int) -> Cluster:
    """A live cluster whose lease nobody else can take: no watcher asks for it."""
    name = f"fleet-{number:03d}"
    found = Cluster.objects.filter(name=name).first()
    if found is not None:
        return found
    later = timezone.now() + LONG
    environment = list(Environment)[number % len(Environment)]
    cluster = Cluster(name=name, environment=environment, status=Status.ACTIVE, observed_at=later)
    cluster.connection = NOWHERE
    cluster.save(force_insert=True)
    lease(cluster)
    Release.objects.bulk_create(_releases(cluster, later))
    return cluster


def lease(cluster: Cluster) -> None:
    """Holds the cluster, so that no watcher does."""
    Lease.objects.create(cluster=cluster, owner=OWNER, epoch=1, expires=timezone.now() + LONG)


def _releases(cluster: Cluster, moment: datetime) -> Iterator[Release]:
    for number in range(RELEASES):
        app = APPS[number % len(APPS)]
        yield Release(
            cluster=cluster,
            namespace=f"team-{number % 20:02d}",
            name=f"{app}-{number:02d}",
            revision=1 + number % 5,
            status="deployed",
            chart=app,
            chart_version="2.3.1",
            app_version="1.4.2",
            updated=moment,
            observed_at=moment,
        )


def _namespaces(number: int, count: int) -> list[Row]:
    return [
        row("Namespace", "", f"team-{space:02d}", f"{number}-space-{space}", 1, status="Active")
        for space in range(count)
    ]


def _by_kind(made: list[Row]) -> dict[str, rows.Pending]:
    """As whole lists."""
    found: dict[str, list[Row]] = defaultdict(list)
    for each in made:
        found[each.kind].append(each)
    seen = {kind: rows.Pending() for kind in found}
    for kind, pending in seen.items():
        pending.list(found[kind])
    return seen


def _pod(number: int, pod: int, namespaces: int, chance: random.Random, now: int) -> Row:
    app = f"{APPS[pod % len(APPS)]}-{pod // 8 % 40:02d}"
    owner = f"{app}-{number * 7919 + pod // 100:08x}"
    fails = chance.random() < 0.01
    return row(
        "Pod",
        f"team-{pod % namespaces:02d}",
        f"{owner}-{chance.getrandbits(20):05x}",
        f"{number:04x}-{pod:08x}",
        1 + pod,
        labels={"app.kubernetes.io/name": app, "team": f"team-{pod % namespaces:02d}"},
        owner=("ReplicaSet", owner),
        status="CrashLoopBackOff" if fails else "Running",
        restarts=chance.randint(1, 40) if fails else 0,
        node=f"node-{pod % 100:03d}",
        created=now - chance.randint(60, 90 * 86_400),
        images=(f"registry.example.com/shop/{app}:1.4.{pod % 20}",),
    )
