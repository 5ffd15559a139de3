"""`/healthz`: this process answers. `/readyz`: so do the things it needs, each within its time."""

import asyncio
import time
from typing import TypedDict

import psycopg
import redis.asyncio
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from psycopg.conninfo import make_conninfo
from redis.exceptions import AuthenticationError, RedisError

from mcm import heartbeat
from mcm.embedded import programs

_DEADLINE = 2.0
# Nobody has to log in to ask, so however many ask, the servers are asked once in this time.
_KEEP_SECONDS = 1.0


class Check(TypedDict):
    ok: bool
    detail: str


Report = dict[str, Check]


@login_not_required
def healthz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


@login_not_required
async def readyz(_request: HttpRequest) -> HttpResponse:
    report = await _latest.get()
    ready = all(check["ok"] for check in report.values())
    answer = JsonResponse(report, status=200 if ready else 503)
    answer["Cache-Control"] = "no-store"
    return answer


class _Latest:
    """The report of the last second, or the one being made: shared by all who ask."""

    def __init__(self) -> None:
        self._made_at = 0.0
        self._task: asyncio.Task[Report] | None = None

    async def get(self) -> Report:
        if self._task is None or self._is_old(self._task):
            self._made_at = time.monotonic()
            self._task = asyncio.create_task(_report())
        # One who goes away must not cancel it for the others.
        return await asyncio.shield(self._task)

    def _is_old(self, task: asyncio.Task[Report]) -> bool:
        if task.get_loop() is not asyncio.get_running_loop():
            return True
        return task.done() and time.monotonic() - self._made_at > _KEEP_SECONDS


_latest = _Latest()


async def _report() -> Report:
    database, signs = await asyncio.gather(_database(), _signs())
    if isinstance(signs, str):
        unknown = Check(ok=False, detail="not known while Redis does not answer")
        redis_check = Check(ok=False, detail=signs)
        return {"database": database, "redis": redis_check, "worker": unknown, "watcher": unknown}
    workers = {f"queue {queue}": heartbeat.worker_key(queue) for queue in programs.QUEUES}
    return {
        "database": database,
        "redis": Check(ok=True, detail="answers"),
        "worker": _alive(signs, workers),
        "watcher": _alive(signs, {"watcher": heartbeat.WATCHER}),
    }


async def _database() -> Check:
    """A connection of its own: the pool's may all be taken, and a broken one says nothing."""
    try:
        async with asyncio.timeout(_DEADLINE):
            server = await psycopg.AsyncConnection.connect(_conninfo(), autocommit=True)
            async with server:
                await server.execute("SELECT 1")
    except TimeoutError:
        return Check(ok=False, detail=f"no answer within {_DEADLINE:g} s")
    except psycopg.Error as error:
        # The text of a failed connection carries addresses and user names.
        return Check(ok=False, detail=f"not reached ({type(error).__name__})")
    return Check(ok=True, detail="answers")


def _conninfo() -> str:
    chosen = connections["default"].settings_dict
    return make_conninfo(
        host=chosen["HOST"] or None,
        port=chosen["PORT"] or None,
        dbname=chosen["NAME"],
        user=chosen["USER"] or None,
        password=chosen["PASSWORD"] or None,
    )


async def _signs() -> set[str] | str:
    """The keys of the living, or why Redis did not tell."""
    keys = [*map(heartbeat.worker_key, programs.QUEUES), heartbeat.WATCHER]
    try:
        async with asyncio.timeout(_DEADLINE):
            async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as store:
                values = await store.mget(keys)
    except TimeoutError:
        return f"no answer within {_DEADLINE:g} s"
    except AuthenticationError:
        return "the password is refused"
    except (RedisError, OSError) as error:
        return f"not reached ({type(error).__name__})"
    return {key for key, value in zip(keys, values, strict=True) if value is not None}


def _alive(signs: set[str], wanted: dict[str, str]) -> Check:
    silent = [name for name, key in wanted.items() if key not in signs]
    if silent:
        return Check(ok=False, detail=f"no sign of life: {', '.join(silent)}")
    return Check(ok=True, detail="alive")
