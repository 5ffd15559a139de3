"""A TLS server that speaks an API server's lists and watches, and lies on command.

What it tells is a `Collection` of objects for each path; `fault` says which requests get something
else. It runs in a thread beside a test, or as a process of its own (`python -m testbed.replay`), so
that its CPU time does not count as its client's.
"""

import asyncio
import random
import ssl
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import uvloop

from testbed import certs, kubeconfig
from testbed.api import Json
from testbed.looping import LoopThread
from testbed.replay import answers, objects
from testbed.replay.collection import Collection, Versions
from testbed.replay.faults import (
    Answer,
    Asks,
    Broken,
    Close,
    End,
    ErrorEvent,
    Hang,
    Refuse,
    Request,
    Rule,
)  # fmt: skip
from testbed.replay.http import Out, read_request
from testbed.replay.lies import lie
from testbed.replay.objects import Thing

__all__ = [
    "Broken", "Close", "Collection", "End", "ErrorEvent", "Hang", "Refuse", "Request", "Server",
    "Thing",
]  # fmt: skip

TOKEN = "replayed-token"  # noqa: S105 - opens nothing
PODS = "/api/v1/pods"
NODES = "/api/v1/nodes"
NAMESPACES = "/api/v1/namespaces"
ALL = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubject"
DOCUMENTS: dict[str, Json] = {
    "/readyz": {},
    "/version": {"gitVersion": "v1.37.2", "major": "1", "minor": "37", "platform": "linux/amd64"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": []},
    f"{REVIEWS}accessreviews": {"status": {"allowed": True}},
    f"{REVIEWS}rulesreviews": {"status": {"resourceRules": ALL, "nonResourceRules": []}},
}


class Server:
    """Serves on a free port of 127.0.0.1 during `with`; methods may be called from any thread.

    `documents` are paths with fixed JSON; every collection that nobody filled is there and empty.
    `watch_list` False makes it an older server, without streaming lists. `seed` decides whom a
    fault meets that meets only a share of the requests.
    """

    def __init__(self, *, authority: certs.Authority | None = None, seed: int = 0) -> None:
        self.authority = authority or certs.new_authority("replay")
        self.requests: list[Request] = []
        self.documents = dict(DOCUMENTS)
        self.watch_list = True
        self.bookmark_seconds = 60.0
        self.port = 0
        self._chance = random.Random(seed)  # noqa: S311 - no secret is made of it
        self._rules: list[Rule] = []
        self._versions = Versions()
        self._collections: dict[str, Collection] = {}
        self._streams: dict[str, set[answers.Stream]] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._thread = LoopThread("replay", uvloop.new_event_loop)
        self._listening: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self.present(self.authority.server())
        self.at(NAMESPACES).put(objects.namespace("kube-system"), objects.namespace("shop"))
        self._thread.start()
        self.port = self._thread.run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._close())
        self._thread.stop()

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> str:
        """The certificate of its authority, as PEM."""
        return self.authority.pair.certificate.decode()

    def kubeconfig(self, name: str = "replay") -> str:
        """A kubeconfig with its token."""
        ca = self.authority.pair.certificate
        return kubeconfig.with_token(name, self.port, ca, "replayer", TOKEN)

    def at(self, path: str) -> Collection:
        """The objects under a path."""
        if path not in self._collections:
            self._collections[path] = Collection(self._versions, lambda: self._wake(path))
        return self._collections[path]

    def fault(
        self,
        answer: Answer,
        *,
        path: str = "",
        on: tuple[Asks, ...] = (),
        share: float = 1.0,
        times: int | None = None,
    ) -> None:
        """From now on these requests get `answer`; earlier faults come first."""
        self._rules.append(Rule(answer, path, on, share, times))

    def heal(self) -> None:
        """The truth for everybody."""
        self._rules.clear()

    def asked(self, path: str = "", *on: Asks) -> list[Request]:
        """The requests so far of a path (or all) that asked for one of these (or anything)."""
        return [
            request
            for request in list(self.requests)
            if (not path or request.path == path) and (not on or request.asks in on)
        ]

    def inject(self, path: str, data: bytes, *, ends: bool = False) -> None:
        """Say these bytes in every open watch of the path, besides the truth; then end it."""

        async def say() -> None:
            for stream in self._streams.get(path, ()):
                stream.injected.append(data)
                stream.ends = ends
                stream.news.set()

        self._thread.run(say())

    def disconnect(self) -> None:
        """Every connection ends at once."""

        self._thread.run(self._abort())

    def restore(self, backup: dict[str, list[Thing]]) -> None:
        """The cluster comes back from a backup: versions fall, watches end, paths hold `backup`."""
        self._versions.now = 10
        for path, collection in self._collections.items():
            collection.restore(backup.get(path, collection.things))
        self.disconnect()

    def present(self, pair: certs.Pair) -> None:
        """New connections see this certificate."""
        with tempfile.NamedTemporaryFile("wb", suffix=".pem") as file:
            Path(file.name).write_bytes(pair.certificate + pair.key)
            self._context.load_cert_chain(file.name)

    def _wake(self, path: str) -> None:
        if self.port:
            self._thread.loop.call_soon_threadsafe(self._tell, path)

    def _tell(self, path: str) -> None:
        for stream in self._streams.get(path, ()):
            stream.news.set()

    async def _listen(self) -> int:
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self._listening = listening
        return int(listening.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.close()
        await self._abort()

    async def _abort(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)  # they are lost in the next turn

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    request = await read_request(reader)
                    self.requests.append(request)
                    try:
                        await self._answer(request, Out(request, writer))
                    finally:
                        request.ended = time.monotonic()
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, request: Request, out: Out) -> None:
        for rule in list(self._rules):
            if rule.meets(request, self._chance):
                await lie(rule.answer, request, out)
                return
        if request.path in self.documents:
            await out.document(self.documents[request.path])
        elif request.asks == "other":
            await self._get(request, out)
        elif request.path.startswith("/apis/metrics.k8s.io/"):
            await out.refusal(404, "the server could not find the requested resource")
        else:
            await self._list_or_watch(request, out)

    async def _get(self, request: Request, out: Out) -> None:
        path, _, name = request.path.rpartition("/")
        if request.method != "GET":
            await out.refusal(405, "the replay server does not write")
            return
        try:
            await out.document(self.at(path).named(name).json)
        except KeyError:
            await out.refusal(404, f'"{name}" not found')

    async def _list_or_watch(self, request: Request, out: Out) -> None:
        path, namespace = request.path, ""
        if "/namespaces/" in path:
            before, _, rest = path.partition("/namespaces/")
            namespace, _, plural = rest.partition("/")
            path = f"{before}/{plural}"
        collection = self.at(path)
        since = int(request.query.get("resourceVersion", "0") or "0")
        if request.asks == "list":
            await answers.listing(request, out, collection, namespace)
        elif request.asks == "stream" and not self.watch_list:
            await out.refusal(422, "sendInitialEvents is forbidden for watch")
        elif since > self._versions.now:
            message = f"Too large resource version: {since}, current: {self._versions.now}"
            await out.refusal(504, f"Timeout: {message}")
        else:
            await self._watch(request, out, collection)

    async def _watch(self, request: Request, out: Out, collection: Collection) -> None:
        streams = self._streams.setdefault(request.path, set())
        stream = answers.Stream(self.bookmark_seconds)
        streams.add(stream)
        try:
            await answers.watch(request, out, collection, stream)
        finally:
            streams.discard(stream)
