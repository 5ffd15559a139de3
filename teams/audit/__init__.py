"""The trail: who did what, on which object, from where, with which result.

`record` adds a line; whoever changes something calls it inside the transaction of the change. Who
asks, with which token and from where is known from the context (`context`): no service passes it
on. What is recorded is masked (`masking`), sealed into a chain soon after (`chain`), checked by
`manage.py verify_audit` (`proof`), forwarded (`forwarding`), and removed when it is old, where that
is set (`retention`).
"""

from contextlib import AbstractContextManager
from typing import Any

from django.db.models import Model

from teams.audit import context
from teams.audit.context import Origin as Origin
from teams.audit.masking import masked
from teams.models import User
from teams.trail import AuditEvent, Named, Place, Placed, Result

Data = dict[str, Any]


def record(  # noqa: PLR0913 - a line has many facts
    by: User | None,
    action: str,
    found: Model | Named,
    *,
    before: Data | None = None,
    after: Data | None = None,
    result: Result = Result.DONE,
    reason: str = "",
    **detail: Any,
) -> AuditEvent:
    """Adds a line, inside the transaction of the change.

    `before` and `after` are the fields that the change concerns. Values of secret-like keys are
    masked in them and in `detail`, yet what is known to be a secret does not belong here.
    """
    origin = context.current()
    named = found if isinstance(found, Named) else _named(found)
    origin.rows += 1
    return AuditEvent.objects.create(
        actor_id=by.pk if by else None,
        actor_name=str(by) if by else "system",
        **origin.told,
        action=action,
        result=result,
        reason=clean(masked(reason), 500),
        object_type=named.type,
        object_id=named.id[:64],
        object_name=clean(named.name, 300),
        cluster=named.place.cluster,
        namespace=named.place.namespace,
        scopes=named.place.keys,
        detail=masked(detail),
        before=None if before is None else masked(before),
        after=None if after is None else masked(after),
    )


def fields(row: Model, *names: str) -> Data:
    """The fields of a row as `before` and `after` take them; {} for one that is not stored."""
    return {name: getattr(row, name) for name in names}


def stored(row: Model, *names: str) -> Data | None:
    """The fields as the database has them, before `row` is saved; None for a new one."""
    found = type(row)._default_manager.filter(pk=row.pk).first() if row.pk else None
    return None if found is None else fields(found, *names)


def acting_for(row: Model) -> AbstractContextManager[Origin]:
    """Work that goes on elsewhere is told as from where it was asked for: `with acting_for(row)`.

    That stands in the first line about the row, so it is known however the work came to its worker.
    """
    lines = AuditEvent.objects.filter(object_type=row._meta.label_lower, object_id=str(row.pk))
    first = lines.order_by("pk").first()
    if first is None:
        return context.acting(Origin(via="worker"))
    return context.acting(
        Origin(
            via="worker",
            token=first.token,
            address=first.address,
            user_agent=first.user_agent,
            request_id=first.request_id,
        )
    )


def clean(text: str, most: int) -> str:
    """What PostgreSQL can store, in one line of at most so many characters."""
    return "".join(char if char.isprintable() else " " for char in text)[:most]


def _named(found: Model) -> Named:
    place = found.place if isinstance(found, Placed) else Place()
    return Named(found._meta.label_lower, str(found.pk), str(found), place)
