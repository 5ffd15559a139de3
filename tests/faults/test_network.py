"""A network or a certificate that fails under a watched cluster: rows 17 and 19."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from testbed import certs
from testbed.cluster import Cluster
from testbed.proxy import Proxy
from testbed.replay import PODS, Server, objects
from tests.clusters.conftest import pod_manifest
from tests.faults.watched import FAST, Fleet, hurry, port_of

pytestmark = pytest.mark.django_db(transaction=True)

SILENCES: dict[str, Callable[[Proxy], float]] = {
    "half-open": Proxy.half_open,
    "black hole": Proxy.black_hole,
    "cut": Proxy.cut,
}


@pytest.mark.cluster
@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES.keys())
async def test_17_a_silent_network_is_flagged_within_15_seconds_and_heals(
    cluster: Cluster,
    namespace: str,
    fleet: Fleet,
    monkeypatch: pytest.MonkeyPatch,
    silence: Callable[[Proxy], float],
) -> None:
    # Probes keep their real times; only the watch's patience is short, so that it lists again.
    hurry(monkeypatch, msgspec.structs.replace(FAST, silence=8, watch=20))
    path = f"/api/v1/namespaces/{namespace}/pods"
    with Proxy(port_of(cluster.kubeconfig)) as proxy:
        watched = await fleet.add(cluster.kubeconfig, at=proxy.url)
        await asyncio.to_thread(cluster.api.post, path, pod_manifest("before"))
        await watched.agrees()
        began = silence(proxy)
        await watched.becomes("unreachable", 20)
        assert time.monotonic() - began <= 15
        assert (await watched.row()).status_reason
        await watched.tells("unreachable", freshness="unreachable")
        # Meanwhile the cluster goes on; what was seen last stays.
        await asyncio.to_thread(cluster.api.post, path, pod_manifest("after"))
        await asyncio.to_thread(cluster.api.delete, f"{path}/before", {"gracePeriodSeconds": 0})
        assert await watched.names(namespace) == {"before"}
        proxy.flow()
        await watched.becomes("active", 20)
        await watched.lives()
        await watched.agrees()
        await watched.tells("active", freshness="live")
        assert await watched.names(namespace) == {"after"}


BAD: dict[str, tuple[Callable[[Server], certs.Pair], str]] = {
    "expired": (lambda server: server.authority.server(lasts=timedelta(minutes=-1)), "expired"),
    "another authority": (lambda _: certs.new_authority("replay").server(), "not trusted"),
    "another name": (
        lambda server: server.authority.server(["other.example"], []),
        "another IP address",
    ),
}


def said_since(replay: Server, moment: float) -> list[str]:
    """What was asked, but for what was on its way then, through a good connection."""
    return [request.target for request in replay.requests if request.at > moment + 0.5]


@pytest.mark.parametrize(("pair", "reason"), BAD.values(), ids=BAD.keys())
async def test_19_a_bad_certificate_is_named_and_gets_no_token(
    replay: Server,
    fleet: Fleet,
    monkeypatch: pytest.MonkeyPatch,
    pair: Callable[[Server], certs.Pair],
    reason: str,
) -> None:
    hurry(monkeypatch, probe=0.25)
    watched = await fleet.add(replay.kubeconfig())
    await watched.agrees()
    replay.present(pair(replay))
    replay.disconnect()
    swapped = time.monotonic()
    await watched.becomes("unreachable")
    await watched.tells("unreachable", freshness="unreachable", reason=reason)
    await asyncio.sleep(1)
    # Nothing was said through such a connection: neither the token nor a request.
    assert said_since(replay, swapped) == []
    assert await watched.names() == {"a", "b"}
    replay.present(replay.authority.server())
    replay.at(PODS).put(objects.pod("c"))
    await watched.becomes("active")
    await watched.lives()
    await watched.agrees()


# What the certificate must be made for, and the address if that is another one.
NAMES = {"the address": ("", "localhost"), "tls-server-name": ("kubernetes.default.svc", "")}


@pytest.mark.parametrize(("named", "host"), NAMES.values(), ids=NAMES.keys())
async def test_19_a_certificate_for_another_host_name(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, named: str, host: str
) -> None:
    hurry(monkeypatch, probe=0.25)
    at = f"https://{host or '127.0.0.1'}:{replay.port}"
    watched = await fleet.add(replay.kubeconfig(), at=at, named=named)
    # Good for the address and for a name, but not for the one that was asked for.
    replay.present(replay.authority.server(["other.example"], ["127.0.0.1"]))
    replay.disconnect()
    swapped = time.monotonic()
    await watched.becomes("unreachable")
    await watched.tells("unreachable", freshness="unreachable", reason="another host name")
    assert said_since(replay, swapped) == []
    replay.present(replay.authority.server())
    await watched.becomes("active")
    await watched.lives()


async def test_19_a_certificate_that_expires_while_it_is_watched(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, probe=0.25)
    replay.present(replay.authority.server(lasts=timedelta(seconds=12)))
    watched = await fleet.add(replay.kubeconfig())
    assert (await watched.row()).status == "active"
    await watched.becomes("unreachable", 20)
    await watched.tells("unreachable", freshness="unreachable", reason="has expired")
