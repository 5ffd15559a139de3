"""The rows of a made-up cluster that are no pods: what runs them, where, and what is said of it."""

import random
from collections.abc import Iterator

import msgspec

from clusters.kube.types import Row

NODES = 100
# A cluster has one of each for so many pods.
SHARES = {
    "Deployment": 50,
    "ReplicaSet": 25,
    "Event": 25,
    "Secret": 50,
    "Widget.bench.example": 100,
}
WORDS = ("Pulled", "Created", "Started", "BackOff", "Unhealthy")


def others(number: int, pods: int, namespaces: int, now: int) -> list[Row]:
    """Of a cluster with so many pods, its nodes included."""
    chance = random.Random(number)  # noqa: S311 - the same rows each time
    return [*_nodes(number, chance), *_by_share(number, pods, namespaces, chance, now)]


def _nodes(number: int, chance: random.Random) -> Iterator[Row]:
    for n in range(NODES):
        made = row("Node", "", f"node-{n:03d}", f"{number}-node-{n}", 1, status="Ready")
        facts = {"version": f"v1.{37 - n % 3}.{n % 5}", "zone": f"zone-{n % 3}", "pods": "110"}
        yield msgspec.structs.replace(
            made, cpu=chance.choice((8, 32, 64)) * 1000, memory=chance.choice((32, 128)) * 1024,
            facts=facts,
        )  # fmt: skip


def _by_share(
    number: int, pods: int, namespaces: int, chance: random.Random, now: int
) -> Iterator[Row]:
    for kind, share in SHARES.items():
        for n in range(pods // share):
            word = WORDS[n % len(WORDS)] if kind == "Event" else "Complete"
            made = row(
                kind, f"team-{n % namespaces:02d}", f"{kind.lower()}-{n:05d}",
                f"{number}-{kind}-{n}", 1, status=word, created=now - chance.randint(0, 3600),
            )  # fmt: skip
            facts = {"count": str(n % 100), "message": f"{word} {n}"} if kind == "Event" else {}
            yield msgspec.structs.replace(made, facts=facts)


def row(  # noqa: PLR0913 - a row has many columns
    kind: str,
    namespace: str,
    name: str,
    uid: str,
    version: int,
    *,
    status: str,
    labels: dict[str, str] | None = None,
    owner: tuple[str, str] = ("", ""),
    restarts: int = 0,
    node: str = "",
    created: int = 1_700_000_000,
    images: tuple[str, ...] = (),
) -> Row:
    """One with the usual in what is not given."""
    return Row(
        kind=kind,
        namespace=namespace,
        name=name,
        uid=uid,
        resource_version=version,
        labels=labels or {},
        owner_kind=owner[0],
        owner_name=owner[1],
        images=images,
        status=status,
        health="failing" if status == "CrashLoopBackOff" else "healthy",
        ready=int(status == "Running"),
        wanted=1,
        restarts=restarts,
        node=node,
        created=created,
        since=created,
        cpu=100,
        memory=256,
        facts={},
    )
