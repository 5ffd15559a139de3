"""The trail: who did what, on which object."""

from typing import Any

from django.db.models import Model

from teams.models import AuditEvent, User


def record(by: User | None, action: str, found: Model, **detail: Any) -> AuditEvent:
    """Adds a line. Call it inside the transaction of the change; never put secrets in `detail`."""
    return AuditEvent.objects.create(
        actor=by,
        actor_name=str(by) if by else "system",
        action=action,
        object_type=found._meta.label_lower,
        object_id=str(found.pk),
        object_name=str(found)[:300],
        detail=detail,
    )
