"""The true answers of an API server: lists in pages, streaming lists and watches."""

import asyncio
import json
from dataclasses import dataclass, field

from testbed.replay import objects, wire
from testbed.replay.collection import Collection
from testbed.replay.faults import Request
from testbed.replay.http import JSON, PROTOBUF, Out
from testbed.replay.objects import Thing

BATCH = 500
KINDS = {
    "pods": "Pod", "nodes": "Node", "namespaces": "Namespace", "deployments": "Deployment",
    "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "replicasets": "ReplicaSet",
}  # fmt: skip


@dataclass(eq=False)
class Stream:
    """One open watch: how often it has a bookmark, what else is said in it, whether it ends."""

    bookmark_seconds: float
    injected: list[bytes] = field(default_factory=list)
    ends: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)


async def listing(request: Request, out: Out, collection: Collection, namespace: str) -> None:
    """One page of a list; the continue token is a version and a position."""
    query, (version, found) = request.query, collection.snapshot()
    if namespace:
        found = [thing for thing in found if thing.namespace == namespace]
    start = int(query.get("continue", "0"))
    end = start + (int(query.get("limit", "0")) or len(found))
    following = str(end) if end < len(found) else ""
    kind, things = kind_of(request, found), found[start:end]
    if request.protobuf:
        body = wire.page([thing.message for thing in things], version, following, kind)
        await out.whole(200, body, PROTOBUF)
        return
    metadata = {"resourceVersion": str(version), "continue": following}
    whole = {
        "kind": f"{kind}List",
        "apiVersion": things[0].api_version if things else "v1",
        "metadata": metadata,
        "items": [thing.json for thing in things],
    }
    await out.whole(200, json.dumps(whole).encode(), JSON)


async def watch(request: Request, out: Out, collection: Collection, stream: Stream) -> None:
    """Changes from a version on, with `sendInitialEvents` after the whole state."""
    protobuf, kind = request.protobuf, kind_of(request, [])
    out.stream()
    if request.asks == "stream":
        version, things = collection.snapshot()
        await _first_state(out, things, protobuf=protobuf)
        await out.say(objects.bookmark(kind, version, protobuf=protobuf, initial_end=True))
    else:
        version = int(request.query.get("resourceVersion", "0") or 0)
        if version < collection.oldest:
            await out.say(objects.failure(410, "too old resource version", protobuf=protobuf))
            await out.end()
            return
    loop = asyncio.get_running_loop()
    ends = loop.time() + float(request.query.get("timeoutSeconds", "1800"))
    while loop.time() < ends:
        stream.news.clear()
        if batch := collection.after(version, BATCH):
            version = batch[-1].thing.version
            await out.say(b"".join(entry.encoded(protobuf=protobuf) for entry in batch))
        elif stream.injected:
            await out.say(stream.injected.pop(0))
        elif stream.ends:
            break
        elif not await _heard(stream, min(stream.bookmark_seconds, ends - loop.time())):
            await out.say(objects.bookmark(kind, version, protobuf=protobuf))
    await out.end()


async def _first_state(out: Out, things: list[Thing], *, protobuf: bool) -> None:
    for start in range(0, len(things), BATCH):
        some = things[start : start + BATCH]
        events = [objects.event("ADDED", thing, protobuf=protobuf) for thing in some]
        await out.say(b"".join(events))


async def _heard(stream: Stream, seconds: float) -> bool:
    try:
        await asyncio.wait_for(stream.news.wait(), max(0.0, seconds))
    except TimeoutError:
        return False
    return True


def kind_of(request: Request, things: list[Thing]) -> str:
    """The kind of the objects under a path."""
    plural = request.path.rpartition("/")[2]
    return things[0].kind if things else KINDS.get(plural, plural.removesuffix("s").title())
