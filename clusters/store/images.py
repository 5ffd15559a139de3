"""The images that objects have: which of them have a part, and which nobody has any more."""

from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction

from clusters.models import Image

# So many sweeps look at every image once.
SLICES = 144
EVERY = timedelta(minutes=10)
_UNUSED = """
SELECT name FROM clusters_image AS i WHERE abs(hashtext(name) %% %s) = %s
AND NOT EXISTS (SELECT FROM clusters_object WHERE images @> ARRAY[i.name])
"""
_DELETE = """
DELETE FROM clusters_image AS i WHERE name = ANY(%s)
AND NOT EXISTS (SELECT FROM clusters_object WHERE images @> ARRAY[i.name])
"""
# Nothing is written meanwhile: an object that is being written may count on an image.
_ALONE = """
SET LOCAL lock_timeout = '500ms';
LOCK TABLE clusters_object IN SHARE MODE
"""


def containing(part: str, most: int) -> list[str] | None:
    """The images with a part, in any case; None where they are more than `most`."""
    found = Image.objects.filter(name__icontains=part).values_list("name", flat=True)
    names = list(found[: most + 1])
    return names if len(names) <= most else None


def sweep(at: datetime) -> None:
    """Forgets images that no object has: at each call, each ten minutes, a part of them."""
    number = int(at.timestamp() / EVERY.total_seconds()) % SLICES
    with connection.cursor() as cursor:
        cursor.execute(_UNUSED, [SLICES, number])
        unused = [name for (name,) in cursor]
    if unused:
        _forget(unused)


def _forget(names: list[str]) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_ALONE)
            cursor.execute(_DELETE, [names])
    except OperationalError:
        return  # too much is being written: tomorrow is as good
