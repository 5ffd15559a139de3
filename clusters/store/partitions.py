"""The days of `clusters_usage`: one partition each, made ahead, dropped whole.

There is no default partition: rows in it would have to be moved before their day can be made.
"""

from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction

TABLE = "clusters_usage"
DAY = timedelta(days=1)
# Of the whole database; the numbers are MCM's own.
_LOCK = 0x4D434D01
_EXISTS = "SELECT to_regclass(%s) IS NOT NULL"
# Each minute changes every row: free space in the pages keeps the index out of it (HOT updates).
_CREATE = """
CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM ('{start}') TO ('{end}')
WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)
"""
_KNOWN = """
SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = %s::regclass ORDER BY relname
"""


def ensure(day: date) -> None:
    """Makes the partition of a day (UTC) where it is missing."""
    if _exists(day):
        return
    with transaction.atomic(), connection.cursor() as cursor:
        # Whoever else found it missing waits here: IF NOT EXISTS alone fails in a race.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        start = datetime.combine(day, time(), UTC)
        text = {"start": start.isoformat(), "end": (start + DAY).isoformat()}
        cursor.execute(_CREATE.format(name=_name(day), table=TABLE, **text))


def days() -> list[date]:
    """The days that have a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [TABLE])
        return [_day(name) for (name,) in cursor.fetchall()]


def drop(day: date) -> None:
    """Drops the partition of a day with all its samples. OperationalError while it is in use."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Who reads meanwhile waits behind us, so we do not wait long ourselves.
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        cursor.execute(f"DROP TABLE IF EXISTS {_name(day)}")


def _exists(day: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_EXISTS, [_name(day)])
        return bool(cursor.fetchone()[0])


def _name(day: date) -> str:
    return f"{TABLE}_{day:%Y%m%d}"


def _day(name: str) -> date:
    return datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date()
