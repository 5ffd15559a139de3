"""Row g: a thousand open live pages on one web process."""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import uvloop
from channels_redis.core import RedisChannelLayer

from bench.apiserver import ApiServer, restart_count
from bench.bench import Bench
from bench.instance import Product
from bench.measure import quantile, until, usage
from bench.report import Result, Samples
from bench.web import Reader, Socket, ignore, open_all
from mcm.embedded import ports
from testbed.api import Json

METHOD = (
    "MCM (all of it, one web process) with one real API server: 1,000 sockets of a signed-in person"
    " that hear of pods. 20 pods a second get another restart count by the API server, each of them"
    " again only after seconds, so that nothing may be merged. Heard: every socket must be told of"
    " every change. Fetched: 50 of them ask for the changed rows, as the page's script does; the"
    " time is from before the PATCH until the new row is there. The peer is one Channels group over"
    " channels_redis (capacity as it comes) in a web process with the same options, sent 20"
    " messages a second of a row's size; times from before the sending."
)
SOCKETS = 1_000
FETCHING = 50
A_SECOND = 20
SECONDS = 8.0
PODS = 100
MESSAGE = 486  # bytes: a row as HTML
KEYS = "SELECT namespace, name, id FROM clusters_object WHERE kind = 'Pod'"
MARK = re.compile(r"\b1\d{6}\b")
GROUPED = re.compile(r"(?<=\d)[,.\u00a0\u202f](?=\d{3})")


@dataclass
class Round:
    """What was changed, and what its pages were told and fetched. Times in seconds since 1970."""

    sent: dict[int, tuple[str, float]] = field(default_factory=dict)
    latest: dict[str, float] = field(default_factory=dict)
    told: list[Counter[str]] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)
    fetched: dict[tuple[int, int], float] = field(default_factory=dict)
    refreshes: int = 0

    def listen(self, socket: Socket) -> None:
        """Counts what this page is told."""
        own: Counter[str] = Counter()
        self.told.append(own)

        def heard(message: Any) -> None:
            now = time.time()
            self.refreshes += message["type"] == "refresh"
            for key in message.get("keys", ()):
                own[key] += 1
                if key in self.latest:
                    self.heard.append(now - self.latest[key])

        socket.heard = heard

    @property
    def lost(self) -> int:
        """Changes of which a page was not told, over all pages."""
        wanted = Counter(key for key, _at in self.sent.values())
        return sum((wanted - told).total() for told in self.told)

    @property
    def deliveries(self) -> int:
        """Changes that pages were told of."""
        return sum(told.total() for told in self.told)


def run(bench: Bench) -> Result:
    """Both, in turns."""
    result = Result("g", "open live pages on one web process", METHOD)
    samples, count = Samples(), bench.size(SOCKETS, 50)
    with (
        ApiServer(bench.folder / "cluster", bench.say) as server,
        Product(bench.folder / "mcm") as product,
    ):
        server.seed(PODS)
        product.register({"g": server.kubeconfig()})
        until(lambda: product.pods() == PODS, "the pods", 90, every=0.2)
        marks = iter(range(1_000_001, 2_000_000))
        for _ in bench.each_round(f"g, {count} sockets"):
            uvloop.run(ours(bench, server, product, count, marks, samples))
            uvloop.run(theirs(bench, product, count, samples))
    judge(result, samples, count)
    return result


def judge(result: Result, samples: Samples, count: int) -> None:
    """None lost, soon enough, light enough."""
    lost = samples.median("MCM", "lost") + samples.median("MCM", "rows_lost")
    result.at_most("none lost", lost, 0, "lost")
    p95 = samples.median("MCM", "row_p95_ms")
    result.at_most("p95 ≤ 1 s from the change to the new row, fetch included", p95, 1_000, "ms")
    weight = samples.median("MCM", "kb_a_socket")
    result.at_most("≤ 100 KB a socket", weight, 100, "KB")
    result.tables.append(samples.table(f"{count} sockets, {A_SECOND} changes a second"))
    less = samples.ratio("plain group", "MCM", "cpu_us_a_delivery")
    result.notes.append(f"A delivery by the plain group takes {less:.1f} × as much CPU as by MCM.")


async def ours(
    bench: Bench, server: ApiServer, product: Product, count: int, marks: Any, samples: Samples
) -> None:
    """One round of MCM: heard by all without any fetching, then fetched by some."""
    pid = product.pid("web")
    headers = {"Cookie": f"sessionid={product.cookie('admin')}"}
    before = usage(pid)
    sockets = [Socket(product.port, "/ws/live/", headers) for _ in range(count)]
    await open_all(sockets)
    for socket in sockets:
        socket.say({"watch": {"topics": ["pods"]}})
    await asyncio.sleep(3)  # what was said before they listened is over
    weight = (usage(pid).rss - before.rss) * 1024 / count
    keys = {(space, name): str(key) for space, name, key in product.database.execute(KEYS)}
    seconds = bench.seconds(SECONDS)

    heard = Round()
    for socket in sockets:
        heard.listen(socket)
    cpu = usage(pid).cpu
    await change(server, keys, marks, heard, seconds)
    await asyncio.sleep(2)
    cpu = usage(pid).cpu - cpu
    for socket in sockets:
        socket.heard = ignore  # what comes now is not of this round

    fetching = Round()
    pages = [Page(socket, fetching) for socket in sockets[:FETCHING]]
    await change(server, keys, marks, fetching, seconds)
    await settle(lambda: len(fetching.fetched) >= len(pages) * len(fetching.sent))
    for page in pages:
        page.close()
    for socket in sockets:
        socket.close()
    took = [at - fetching.sent[mark][1] for (_page, mark), at in fetching.fetched.items()]
    samples.add(
        "MCM",
        kb_a_socket=weight,
        lost=heard.lost,
        heard_p95_ms=quantile(heard.heard, 0.95) * 1000,
        cpu_us_a_delivery=cpu / max(heard.deliveries, 1) * 1e6,
        row_p50_ms=quantile(took, 0.5) * 1000,
        row_p95_ms=quantile(took, 0.95) * 1000,
        rows_lost=len(pages) * len(fetching.sent) - len(fetching.fetched),
        refreshes=heard.refreshes + fetching.refreshes,
    )


async def change(
    server: ApiServer,
    keys: dict[tuple[str, str], str],
    marks: Any,
    into: Round,
    seconds: float,
) -> None:
    """Changes one pod after the other at the rate."""
    api, pods = server.api, server.pods()
    due = time.monotonic()
    for number in range(round(seconds * A_SECOND)):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        pod: Json = pods[number % len(pods)]
        mark = next(marks)
        key = keys[pod["metadata"]["namespace"], pod["metadata"]["name"]]
        into.latest[key] = time.time()
        into.sent[mark] = key, into.latest[key]
        await asyncio.to_thread(restart_count, api, pod, mark)
        due += 1 / A_SECOND


class Page:
    """An open page that notes when it has the rows that were changed."""

    def __init__(self, socket: Socket, into: Round) -> None:
        self._socket, self._into = socket, into
        Reader(socket, self._note, self._count)

    def close(self) -> None:
        """It asks no more."""
        self._socket.heard = ignore

    def _count(self, message: Any) -> None:
        self._into.refreshes += message["type"] == "refresh"

    def _note(self, text: str | None) -> None:
        now = time.time()
        shown = {int(mark) for mark in MARK.findall(GROUPED.sub("", text or ""))}
        for mark in shown & self._into.sent.keys():
            self._into.fetched.setdefault((id(self), mark), now)


async def theirs(bench: Bench, product: Product, count: int, samples: Samples) -> None:
    """One round of the plain group."""
    port, redis = ports.choose(), product.environment["REDIS_URL"].rpartition("/")[0] + "/9"
    options = ["--host", "127.0.0.1", "--port", str(port), "--lifespan", "off", "--no-access-log"]
    options += ["--ws", "websockets-sansio"]
    command = [sys.executable, "-m", "uvicorn", "bench.plain_group:application", *options]
    with product.start("plain-group", command, REDIS_URL=redis) as running:
        until(lambda: not ports.is_free(port), "the plain group", 60, every=0.1)
        await asyncio.sleep(1)
        before = running.usage
        sockets = [Socket(port, "/ws/live/", {}) for _ in range(count)]
        await open_all(sockets)
        await asyncio.sleep(2)
        weight = (running.usage.rss - before.rss) * 1024 / count
        delays: list[float] = []
        for socket in sockets:
            socket.heard = lambda message: delays.append(time.time() - message["at"])
        cpu, messages = running.usage.cpu, round(bench.seconds(SECONDS) * A_SECOND)
        await send(redis, messages)
        await settle(lambda: len(delays) >= messages * count)
        cpu = running.usage.cpu - cpu
        for socket in sockets:
            socket.close()
    samples.add(
        "plain group",
        kb_a_socket=weight,
        lost=messages * count - len(delays),
        heard_p95_ms=quantile(delays, 0.95) * 1000,
        cpu_us_a_delivery=cpu / max(len(delays), 1) * 1e6,
    )


async def settle(all_came: Callable[[], bool]) -> None:
    """Waits for the rest: what has not come within 20 s counts as lost."""
    deadline = time.monotonic() + 20
    while not all_came() and time.monotonic() < deadline:  # noqa: ASYNC110 - many tell
        await asyncio.sleep(0.1)


async def send(redis: str, messages: int) -> None:
    """Sends to the group at the rate, or as fast as it goes."""
    layer = RedisChannelLayer(hosts=[redis])
    due = time.monotonic()
    for _ in range(messages):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        text = json.dumps({"at": time.time(), "html": "x" * MESSAGE})
        await layer.group_send("pods", {"type": "changed", "text": text})
        due += 1 / A_SECOND
