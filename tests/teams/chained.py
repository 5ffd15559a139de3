"""Lines of the trail that are sealed, and what only the owner of the database can do to them."""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from teams import audit
from teams.audit import chain
from teams.models import AuditAnchor, AuditEvent
from teams.trail import Named

THING = Named("thing", "1", "a thing")


def lines(count: int) -> None:
    for n in range(count):
        audit.record(None, "thing.change", THING, before={"n": n}, after={"n": n + 1})


def sealed(count: int) -> None:
    lines(count)
    chain.seal()


def behind_the_trigger(statement: str, *values: Any) -> None:
    """What somebody does who owns the database."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE teams_auditevent DISABLE TRIGGER trail_kept")
        cursor.execute(statement, values)
        cursor.execute("ALTER TABLE teams_auditevent ENABLE TRIGGER trail_kept")


def rewritten(at: Any, *, upto: int) -> None:
    """The same trail, begun at another time: made so, then sealed anew."""
    behind_the_trigger("UPDATE teams_auditevent SET seq = NULL, hash = '', previous = ''")
    behind_the_trigger("UPDATE teams_auditevent SET at = %s WHERE detail = '{}'", timezone.now())
    ids = list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True)[:upto])
    behind_the_trigger("UPDATE teams_auditevent SET at = %s WHERE id = ANY(%s)", at, ids)
    AuditAnchor.objects.all().delete()
    chain.seal()
