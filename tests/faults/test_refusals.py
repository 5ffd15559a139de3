"""An API server that refuses, fails or says nothing: rows 13 to 15 of the table of faults."""

import asyncio
import time
from itertools import pairwise
from statistics import median

import msgspec
import pytest

from clusters.kube import errors, poll
from clusters.kube.timing import DEFAULT as REAL
from clusters.models import Object
from clusters.tasks import DEADLINE
from testbed.replay import PODS, Hang, Refuse, Server, objects
from tests.faults.watched import FAST, Fleet, Watched, hurry
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


async def test_13_too_many_requests_are_fewer_and_not_before_the_server_wants_them(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, probe=0.25)
    watched = await fleet.add(replay.kubeconfig())
    await watched.agrees()
    replay.fault(Refuse(429, "slow down", retry_after=2))
    replay.disconnect()
    began = time.monotonic()
    await watched.becomes("degraded")
    await asyncio.sleep(5)
    asked = [request.at for request in replay.asked(PODS) if request.at > began]
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert len(asked) >= 2
    assert min(pauses) >= 2
    # What was seen last is still there, with the reason.
    assert await watched.names() == {"a", "b"}
    await watched.tells("degraded", reason="slow down")
    replay.heal()
    replay.at(PODS).remove("a")
    await watched.becomes("active")
    await watched.agrees()
    await watched.lives()


async def test_14_bursts_of_failures_degrade_a_cluster_and_keep_what_was_seen(
    replay: Server, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch, probe=0.25)
    watched = await fleet.add(replay.kubeconfig())
    await watched.agrees()
    replay.fault(Refuse(503, "etcd is away"))
    replay.disconnect()
    await watched.becomes("degraded")
    await watched.tells("degraded", reason="etcd is away")
    assert (await watched.shown())["observedAt"]
    assert await watched.names() == {"a", "b"}
    replay.heal()
    replay.fault(Refuse(500), share=0.3)
    replay.fault(Refuse(503), share=0.3)
    # Half of what is asked fails, and yet changes arrive.
    replay.at(PODS).put(objects.pod("c"))
    await watched.has("a", "b", "c")
    await until(lambda: {request.status for request in replay.requests} >= {200, 500, 503})
    replay.heal()
    await watched.becomes("active")
    await watched.lives()


async def test_15_one_that_never_answers_is_flagged_and_slows_no_other(
    replay: Server, fleet: Fleet, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the watches hurry: probes and the answers that a stream waits for keep their real times.
    hurry(monkeypatch, msgspec.structs.replace(FAST, connect=REAL.connect))
    with Server(seed=seed) as other:
        other.at(PODS).put(objects.pod("x"))
        mute = await fleet.add(replay.kubeconfig())
        good = await fleet.add(other.kubeconfig())
        await good.agrees()
        before = await changed(other, good, "before")
        replay.fault(Hang())
        replay.disconnect()
        changing = asyncio.create_task(changed(other, good, "during"))
        assert await mute.becomes("unreachable", 15) < 15
        await mute.tells("unreachable", freshness="unreachable", reason="in time")
        assert await changing < 1.2 * before + 0.2
        await good.tells("active", freshness="live")
        with pytest.raises(errors.TimedOut):
            await asyncio.to_thread(poll.ask, mute.connection, DEADLINE)
        # Nobody waited longer than 10 s for any of them: the watches, the probes, a poll.
        unanswered = [request for request in replay.requests if not request.status]
        held = [(request.ended or time.monotonic()) - request.at for request in unanswered]
        assert max(held) <= 10.5
        assert sum(request.path == "/readyz" for request in unanswered) >= 3
        assert sum(request.path == PODS and request.ended > 0 for request in unanswered) >= 1


async def changed(server: Server, watched: Watched, word: str) -> float:
    """The seconds, as a median, that changes of a pod took into the database."""
    times = []
    for number in range(15):
        wanted, began = f"{word}-{number}", time.monotonic()
        server.at(PODS).touch("x", wanted)
        pods = Object.objects.filter(cluster_id=watched.pk, name="x", status=wanted)
        await until(pods.exists)
        times.append(time.monotonic() - began)
        await asyncio.sleep(0.3)
    return median(times)
