"""Rows of objects in any state, without a cluster."""

from typing import Any

from clusters.kube.kinds import KINDS
from clusters.kube.schema import MESSAGE
from clusters.kube.types import Row
from tests.kube.objects import undecoded

AT = 1_795_575_600
"""When every condition became what it is: 2026-11-25T03:00:00Z."""


def row(kind: str, metadata: dict[str, Any] | None = None, **parts: Any) -> Row:
    """The row of an object of this kind."""
    basics = {"name": "web", "namespace": "shop", "uid": "uid-1", "resourceVersion": "7"}
    whole = undecoded({**basics, **(metadata or {})})
    return KINDS[kind].project(MESSAGE[kind](metadata=whole, **parts))


def conditions(**statuses: str) -> list[dict[str, Any]]:
    """Conditions; "False:Broken" has a reason."""
    made = []
    for type_, text in statuses.items():
        status, _, reason = text.partition(":")
        transition = {"seconds": AT}
        made.append(
            {"type": type_, "status": status, "reason": reason, "lastTransitionTime": transition}
        )
    return made
