"""Seals the lines of the trail into a chain: each carries its hash, and that of the line before it.

Who writes a line only adds a row, and waits for nobody. A short step that one process at a time
takes, every second, gives the rows that were committed since their numbers in the chain and their
hashes, and signs the newest as the chain's head. So the chain's order is that of sealing; within a
second or two after its commit a row can be changed or taken out by nobody without `verify_audit`
telling, save who holds MCM_ENCRYPTION_KEYS beside the database.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from teams.trail import AuditAnchor, AuditEvent

HEAD, START = "head", "start"
# So many rows are sealed in one transaction.
BATCH = 500
# Of the advisory lock that is held while sealing.
LOCK = 5_407_331

_SEAL = """
UPDATE teams_auditevent AS e SET seq = v.seq, previous = v.previous, hash = v.hash
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[]) AS v(id, seq, previous, hash)
WHERE e.id = v.id
"""
# What is hashed of a row: all but the hash itself.
COLUMNS = tuple(each.attname for each in AuditEvent._meta.concrete_fields if each.name != "hash")

log = logging.getLogger(__name__)


class Point(NamedTuple):
    """A row's number in the chain, and its hash."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


BEGIN = Point(0, "0" * 64)


def digest(row: Mapping[str, Any]) -> str:
    """The hash of a row: SHA-256 of its columns as JSON with sorted keys and without spaces."""
    plain = {name: _plain(row[name]) for name in COLUMNS}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def seal() -> int:
    """Seals all rows that were committed; how many. Does nothing while another process seals."""
    sealed = 0
    while rows := _seal_some():
        sealed += rows
    return sealed


@transaction.atomic
def _seal_some() -> int:
    if not _locked():
        return 0
    rows = AuditEvent.objects.filter(seq=None).order_by("pk").values(*COLUMNS)[:BATCH]
    last = head()
    done = list(_chained(rows, last))
    renew(START)
    if not done:
        renew(HEAD)
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_SEAL, [list(column) for column in zip(*done, strict=True)])
    _pk, seq, _previous, newest = done[-1]
    point = Point(seq, newest)
    write_anchor(HEAD, point)
    transaction.on_commit(lambda: log.info("audit trail sealed up to %s", point))
    return len(done)


def _chained(rows: Iterable[Mapping[str, Any]], last: Point) -> Iterable[tuple[int, int, str, str]]:
    for row in rows:
        seq = last.seq + 1
        linked = {**row, "seq": seq, "previous": last.hash}
        found = digest(linked)
        yield row["id"], seq, last.hash, found
        last = Point(seq, found)


def _locked() -> bool:
    """The right to change the chain until the transaction ends; False while another has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def wait_for_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def anchor(kind: str) -> Point | None:
    """An end of the chain as it stands in the database, however signed."""
    row = AuditAnchor.objects.filter(pk=kind).first()
    return Point(row.seq, row.hash) if row else None


def head() -> Point:
    """The newest sealed row, after which the next one is chained."""
    return anchor(HEAD) or anchor(START) or BEGIN


def write_anchor(kind: str, point: Point) -> None:
    """Stores an end of the chain, signed with the newest key."""
    now = timezone.now()
    values = {"seq": point.seq, "hash": point.hash, "at": now}
    mac = _mac(settings.ENCRYPTION_KEYS[0], kind, point, now)
    AuditAnchor.objects.update_or_create(pk=kind, defaults={**values, "mac": mac})


def is_signed(row: AuditAnchor) -> bool:
    """Whether a key that MCM has, new or old, signed this end of the chain."""
    point = Point(row.seq, row.hash)
    macs = (_mac(key, row.kind, point, row.at) for key in settings.ENCRYPTION_KEYS)
    return any(hmac.compare_digest(mac, row.mac) for mac in macs)


def renew(kind: str) -> None:
    """Signs an end with the newest key where an older one did, before that one is given up."""
    row = AuditAnchor.objects.filter(pk=kind).first()
    if row is None or not is_signed(row):
        return
    point = Point(row.seq, row.hash)
    if row.mac != _mac(settings.ENCRYPTION_KEYS[0], kind, point, row.at):
        write_anchor(kind, point)


def _mac(key: bytes, kind: str, point: Point, at: datetime) -> str:
    own = hmac.digest(key, b"mcm: anchors of the audit trail", "sha256")
    return hmac.new(own, f"{kind}\n{point}\n{_plain(at)}".encode(), "sha256").hexdigest()
