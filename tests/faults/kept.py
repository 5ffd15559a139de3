"""Everything that an instance keeps: tables, Redis, files; and what passed through Redis."""

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import redis
from psycopg import sql

# The instance's own keys and passwords, which are of no concern here.
OWN = "state.json"
TABLES = """
SELECT schemaname, tablename FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname NOT LIKE 'pg_temp%'
ORDER BY 1, 2
"""
BYTES = re.compile(rb"\\\\x((?:[0-9a-f]{2})+)")


def tables(url: str) -> Iterator[tuple[str, bytes]]:
    """All rows of every table, columns of bytes also as what they are; and what runs."""
    with psycopg.connect(url) as database:
        names = [sql.Identifier(*row) for row in database.execute(TABLES).fetchall()]
        for name in [*names, sql.Identifier("pg_stat_activity")]:
            copy = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(name)
            with database.cursor().copy(copy) as out:
                rows = b"".join(bytes(part) for part in out)
            binary = b"\n".join(bytes.fromhex(each.decode()) for each in BYTES.findall(rows))
            yield f"table {name.as_string()}", rows + b"\n" + binary


def in_redis(url: str) -> Iterator[tuple[str, bytes]]:
    """All keys of all databases with their values."""
    base = url.rpartition("/")[0]
    for space in redis.Redis.from_url(url).info("keyspace"):
        with redis.Redis.from_url(f"{base}/{space.removeprefix('db')}") as store:
            for key in store.scan_iter(count=1000):
                value = _value(store, key)
                yield f"Redis {space} {key.decode(errors='replace')}", key + b"\n" + value


def _value(store: "redis.Redis", key: bytes) -> bytes:
    reading: Any = {
        b"string": store.get,
        b"hash": store.hgetall,
        b"list": lambda name: store.lrange(name, 0, -1),
        b"set": store.smembers,
        b"zset": lambda name: store.zrange(name, 0, -1, withscores=True),
        b"stream": store.xrange,
        b"none": lambda name: b"",  # it expired meanwhile
    }
    found = reading[store.type(key)](key)
    return found if isinstance(found, bytes) else repr(found).encode()


def files(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the instance, logs and the data of its servers included."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.name != OWN:
            try:
                yield f"file {path.relative_to(home)}", path.read_bytes()
            except FileNotFoundError:
                continue


class Overheard:
    """All commands that Redis gets during the block, as MONITOR tells them."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 6379))
        self._socket.sendall(f"AUTH {unquote(parts.password or '')}\r\nMONITOR\r\n".encode())
        self._heard = bytearray()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Overheard":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while data := self._socket.recv(65536):
            self._heard += data

    @property
    def heard(self) -> bytes:
        return bytes(self._heard)
