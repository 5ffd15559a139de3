"""Names of what changed, on their way from the writers to the open pages.

A message is JSON on one Redis channel: {"topic", "cluster", "keys": [[key, namespace], …]}.
It is sent after the commit that stored the change, so the page that asks then finds it.
Delivery is at most once: a page that was cut off asks for everything again.
"""

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from functools import lru_cache
from uuid import UUID

import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from clusters.live.asked import MOST_ROWS, Desk, Question, RowsView
from clusters.live.heard import Scopes, scopes
from clusters.live.pages import MOST_KEYS, WHOLE, Change, Subscriber

# Redis knows no databases in its channels: the number keeps two instances apart.
CHANNEL = f"mcm:live:{settings.REDIS_DATABASE}"
# Set by each watcher every few seconds. While none is, nothing that pages show is confirmed.
WATCHER_ALIVE = "mcm:alive:watcher"
LOOK_SECONDS = 5.0
# Seconds from a page's rendering until it listens; a page that takes longer asks again itself.
ON_THE_WAY = 10.0
# So many messages of a topic are kept for that long; a page that missed more asks for everything.
MOST_RECENT = 200
# An answer of Redis that takes longer will not come.
PATIENCE = 3.0
# Seconds between the turns of two pages that come back, and the longest wait for one.
TURN = 0.15
LONGEST_TURN = 90.0
# Where so many seconds of turns are taken there is a crowd: it waits so much longer, until all of
# it has come.
CROWD = 1.0
UNTIL_CALM = 5.0
# The topic of a message after others were lost: every page asks for everything.
ALL = "*"

__all__ = [
    "MOST_KEYS", "MOST_ROWS", "WHOLE", "Change", "Desk", "Hub", "Question", "RowsView", "Scopes",
    "Subscriber", "hub", "publish", "publish_all", "publish_clusters", "scopes",
]  # fmt: skip

log = logging.getLogger(__name__)
Key = tuple[int | str, str | None]
# Set while a message of this process was lost and the pages do not know it yet.
_unsaid = threading.Event()
# After an answer that did not come nobody waits for the next one for so many seconds: what is
# published is on its way from writers, which must not stand still with Redis.
QUIET = 5.0


class _Quiet:
    until = 0.0


@lru_cache(maxsize=1)
def _redis() -> "redis.Redis":
    # A connection that broke is made anew once; an answer that does not come is not waited for
    # again, as the client would by itself, for 20 s.
    again = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    url, wait = settings.REDIS_URL, PATIENCE
    return redis.Redis.from_url(url, socket_timeout=wait, socket_connect_timeout=wait, retry=again)


def publish(topic: str, cluster_id: UUID, keys: Sequence[Key]) -> None:
    """Tells the pages once the surrounding transaction has committed.

    `keys` are pairs of a row's key and its namespace (None: of the cluster itself, "" outside
    namespaces). Without Redis the pages learn by polling.
    """
    publish_all(cluster_id, {topic: keys})


def publish_all(cluster_id: UUID, changes: Mapping[str, Sequence[Key]]) -> None:
    """As `publish`, of several topics in one go."""
    publish_clusters({cluster_id: changes})


def publish_clusters(clusters: Mapping[UUID, Mapping[str, Sequence[Key]]]) -> None:
    """As `publish_all`, of several clusters in one go."""
    messages = [
        _message(topic, cluster_id, keys)
        for cluster_id, changes in clusters.items()
        for topic, keys in changes.items()
    ]
    if messages:
        transaction.on_commit(lambda: _send(messages))


def _message(topic: str, cluster_id: UUID, keys: Sequence[Key]) -> str:
    names: list[Key] = list(keys)
    if len(names) > MOST_KEYS:
        names = [(WHOLE, namespace) for namespace in {namespace for _key, namespace in names}]
    return json.dumps({"topic": topic, "cluster": str(cluster_id), "keys": names})


def catch_up() -> None:
    """Tells the pages that messages of this process were lost, if they do not know it yet."""
    if _unsaid.is_set():
        _send([])


def _send(messages: list[str]) -> None:
    if time.monotonic() < _Quiet.until:
        _unsaid.set()
        return
    if _unsaid.is_set():
        _unsaid.clear()
        messages = [*messages, json.dumps({"topic": ALL})]
    try:
        with _redis().pipeline(transaction=False) as pipe:
            for message in messages:
                pipe.publish(CHANNEL, message)
            pipe.execute()
    except redis.RedisError as error:
        _unsaid.set()
        if isinstance(error, redis.TimeoutError):
            _Quiet.until = time.monotonic() + QUIET
        log.warning("a live change was not published: %s", error)


class Hub:
    """The one Redis subscription of this process, fanned out in memory to its sockets."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._listener: asyncio.Task[None] | None = None
        # By topic: those that nobody shows must not crowd out the others.
        self._recent: dict[str, deque[tuple[float, Change]]] = {}
        self.desk = Desk()
        # False while what is said does not reach this process: its pages must not look live.
        self.hears = False
        self._next_turn = 0.0

    def join(self, subscriber: Subscriber) -> None:
        self._subscribers.add(subscriber)
        subscriber.company = self._subscribers
        if self._listener is None or self._listener.done():
            self._listener = asyncio.get_running_loop().create_task(self._listen())

    def turn(self) -> float:
        """After how many seconds a page that comes now may ask for what it missed.

        When a process is replaced its pages come back within seconds, and to let them in takes all
        that it has. Seven a second after that leave it time for all who ask for something else.
        """
        now = time.monotonic()
        at = min(max(now, self._next_turn), now + LONGEST_TURN)
        self._next_turn = at + TURN
        wait = at - now
        return round(wait + UNTIL_CALM if wait > CROWD else wait, 2)

    def leave(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)

    async def _listen(self) -> None:
        delay = 0.5
        while self._subscribers:
            try:
                await self._one_subscription()
                delay = 0.5
            except (redis.RedisError, OSError) as error:
                log.warning("the live subscription was lost: %s", error)
            finally:
                self.hears = False
            await asyncio.sleep(delay)
            delay = min(delay * 2, 10)

    async def _one_subscription(self) -> None:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=None)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(client.aclose)
            pubsub = await stack.enter_async_context(client.pubsub())
            async with asyncio.timeout(PATIENCE):
                await pubsub.subscribe(CHANNEL)
            self.hears = True
            # Whatever was said before this moment was not heard.
            self._refresh_all()
            watched, looked = True, time.monotonic()
            while self._subscribers:
                message = await pubsub.get_message(
                    ignore_subscribe_messages=True, timeout=LOOK_SECONDS
                )
                if message is not None:
                    self._fan_out(message["data"])
                if time.monotonic() - looked >= LOOK_SECONDS:
                    async with asyncio.timeout(PATIENCE):
                        was, watched = watched, bool(await client.exists(WATCHER_ALIVE))
                    looked = time.monotonic()
                    if was != watched:
                        self._refresh_all()

    def replay(self, subscriber: Subscriber) -> None:
        """What was said while the page was on its way: rendered, but not yet listening."""
        since = time.monotonic() - ON_THE_WAY
        for topic in subscriber.topics:
            recent = self._recent.get(topic, deque())
            if len(recent) == MOST_RECENT and recent[0][0] > since:
                subscriber.refresh()
                return
            for heard, change in recent:
                if heard > since:
                    subscriber.offer(change)

    def _refresh_all(self) -> None:
        for subscriber in self._subscribers:
            subscriber.refresh()

    def _fan_out(self, data: bytes) -> None:
        try:
            message = json.loads(data)
            if message["topic"] == ALL:
                self._refresh_all()
                return
            change = Change.read(message)
        except (ValueError, KeyError, TypeError):
            log.warning("a live message that nobody of us wrote was dropped")
            return
        for subscriber in self._subscribers:
            subscriber.offer(change)
        self._remember(change)

    def _remember(self, change: Change) -> None:
        heard = time.monotonic()
        recent = self._recent.setdefault(change.topic, deque(maxlen=MOST_RECENT))
        while recent and recent[0][0] < heard - ON_THE_WAY:
            recent.popleft()
        recent.append((heard, change))


@lru_cache(maxsize=1)
def hub() -> Hub:
    """This process's hub."""
    return Hub()
