"""Rows on their way into the database, in PostgreSQL's own binary form.

The driver makes text of each value by itself, which took 14 µs a row; this takes 7, and the server
has no numbers, times or arrays to read.
https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import DataError, connection

from clusters.kube.types import Row

# What PostgreSQL or Python say of values that no column takes.
UNFIT = (DataError, ValueError, OverflowError, struct.error)

_TEXTS = "kind, namespace, name, uid, owner_kind, owner_name, status, health, node"
_SHARED = "labels, images, facts"
_NUMBERS = "resource_version, since, ready, wanted, restarts, created, cpu, memory"
COLUMNS = f"{_TEXTS}, {_SHARED}, {_NUMBERS}"
# Kept by the session, emptied by each commit: making it anew would bloat the catalogue.
SCRATCH = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS seen ON COMMIT DELETE ROWS
AS SELECT cluster_id, {COLUMNS} FROM clusters_object WITH NO DATA
"""  # noqa: S608 - constant column names

_COPY = f"COPY seen (cluster_id, {COLUMNS}) FROM STDIN (FORMAT BINARY)"
_COPY_STRAIGHT = f"""
COPY clusters_object (cluster_id, observed_at, {COLUMNS}) FROM STDIN (FORMAT BINARY)
"""
_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
# How many columns, the cluster (16 bytes), and when it was observed (8 bytes).
_COLUMNS = COLUMNS.count(",") + 1
_of_cluster = struct.Struct(">hi16s").pack
_straight = struct.Struct(">hi16siq").pack
# Each value stands behind its length.
_numbers = struct.Struct(">iqiqiiiiiiiqiqiq").pack
_length = struct.Struct(">i").pack
# No part of it is NULL, and its texts are of type 25.
_array = struct.Struct(">iiiii").pack
_ARRAY_OF_NONE = struct.pack(">iii", 0, 0, 25)
# From 1970 to 2000, where PostgreSQL's times begin.
_EPOCH = 946_684_800
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST_UID = 64  # longer ones are no API server's
_PIECE = 128 * 1024


def copy(cursor: Any, rows: Mapping[UUID, Iterable[Row]]) -> None:
    """Puts rows of clusters into the scratch table; one of `UNFIT` when it does not take one."""
    heads = {key: _of_cluster(_COLUMNS + 1, 16, key.bytes) for key in rows}
    _send(cursor, _COPY, _pieces((heads[key], seen) for key, seen in rows.items()))


def copy_straight(
    cursor: Any, cluster_id: UUID, observed_at: datetime, rows: Iterable[Row]
) -> None:
    """Puts rows beside the stored ones; IntegrityError when one is stored, or one of `UNFIT`."""
    moment = (observed_at - _BEGINNING) // timedelta(microseconds=1)
    head = _straight(_COLUMNS + 2, 16, cluster_id.bytes, 8, moment)
    _send(cursor, _COPY_STRAIGHT, _pieces([(head, rows)]))


def _send(cursor: Any, statement: str, pieces: Iterable[bytes]) -> None:
    # The driver's own cursor raises its own errors, Django's wrapper knows them by their names.
    with connection.wrap_database_errors, cursor.cursor.copy(statement) as into:
        for piece in pieces:
            into.write(piece)


def _pieces(many: Iterable[tuple[bytes, Iterable[Row]]]) -> Iterator[bytes]:
    """Rows behind what each record of theirs begins with."""
    # Few and large: another thread may have the interpreter while one is sent, and keep it long.
    record = _recorder()
    piece = bytearray(_BEGIN)
    for head, rows in many:
        for row in rows:
            if len(row.uid) <= _LONGEST_UID:
                piece += record(head, row)
                if len(piece) > _PIECE:
                    yield bytes(piece)
                    piece.clear()
    yield bytes(piece + _END)


class _Words(dict[str, bytes]):
    """Words as values. Most are those of many rows."""

    def __missing__(self, word: str) -> bytes:
        made = self[word] = _value(word.encode())
        return made


class _Parts(dict[int, bytes]):
    """What rows share (see `Row`) as values, by identity: all of them live while it does."""

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        self._encode = encode

    def of(self, part: Any) -> bytes:
        """The value of a part."""
        made = self.get(id(part))
        if made is None:
            made = self[id(part)] = _value(self._encode(part))
        return made


def _recorder() -> Callable[[bytes, Row], bytes]:
    """What makes records of rows that are all kept meanwhile, behind a head."""
    words = _Words()
    of_map, of_images = _Parts(_jsonb).of, _Parts(_texts).of

    def record(head: bytes, row: Row) -> bytes:
        # Words of a hostile cluster are cut to their columns: one row too long would stop them all.
        created = _time(row.created)
        return b"".join((
            head, words[row.kind], words[row.namespace[:63]], _value(row.name[:253].encode()),
            _value(row.uid.encode()), words[row.owner_kind[:63]], words[row.owner_name[:253]],
            words[row.status[:100]], words[row.health], words[row.node[:253]],
            of_map(row.labels), of_images(row.images), of_map(row.facts),
            _numbers(
                8, row.resource_version, 8, _time(row.since) if row.since else created,
                4, row.ready, 4, row.wanted, 4, row.restarts, 8, created,
                8, row.cpu, 8, row.memory,
            ),
        ))  # fmt: skip

    return record


def _value(data: bytes) -> bytes:
    return _length(len(data)) + data


def _jsonb(found: dict[str, str]) -> bytes:
    return b"\x01" + msgspec.json.encode(found)


def _texts(found: tuple[str, ...]) -> bytes:
    if not found:
        return _ARRAY_OF_NONE
    return _array(1, 0, 25, len(found), 1) + b"".join(_value(text.encode()) for text in found)


def _time(seconds: int) -> int:
    return (seconds - _EPOCH) * 1_000_000
