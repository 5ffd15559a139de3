"""Programs that live but do not work: killed, so that their keeper starts them again."""

import asyncio
import time
from contextlib import suppress

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from mcm import heartbeat
from mcm.embedded import programs, readiness
from mcm.embedded.supervisor import Supervisor

_EVERY = 10
_PATIENCE = 45
# Seconds to write down what it was doing.
_LAST_WORDS = 1
_KEYS = {
    "watcher": heartbeat.WATCHER,
    **{f"worker-{queue}": heartbeat.worker_key(queue) for queue in programs.QUEUES},
}


async def watch(supervisor: Supervisor, port: int) -> None:
    """For ever. A program just restarted gets the whole patience again."""
    last_seen: dict[str, float] = {}
    while True:
        now = time.monotonic()
        for name, lives in (await _signs(port)).items():
            if lives or name not in last_seen:
                last_seen[name] = now
            elif now - last_seen[name] > _PATIENCE:
                supervisor.say(f"{name} has given no sign of life for {_PATIENCE} s: restarting it")
                supervisor.ask_for_traces(name)
                await asyncio.sleep(_LAST_WORDS)
                supervisor.kill(name)
                last_seen[name] = now
        await asyncio.sleep(_EVERY)


async def _signs(port: int) -> dict[str, bool]:
    """Who lives. Without Redis nobody can sign: then all of its signers are taken to live."""
    signs = dict.fromkeys(_KEYS, True)
    with suppress(RedisError, OSError):
        async with redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as store:
            values = await store.mget(list(_KEYS.values()))
        signs = {name: value is not None for name, value in zip(_KEYS, values, strict=True)}
    signs["web"] = await asyncio.to_thread(readiness.answers, port)
    return signs
