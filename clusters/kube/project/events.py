"""Events. When and how often follow `printEvent` of Kubernetes 1.37."""

from typing import Any

from clusters.kube.errors import safe_text
from clusters.kube.project.base import LONGEST_TEXT, row, shared
from clusters.kube.types import Row


def event_row(event: Any) -> Row:
    """The row of an Event message: its owner is what it is about, `created` when last seen."""
    about = event.involvedObject
    kind, name = shared(about.kind), shared(about.name)
    reason, type_ = shared(event.reason), shared(event.type)
    first = event.firstTimestamp.seconds or event.eventTime.seconds
    last, times = event.lastTimestamp.seconds or first, event.count or 1
    if event.HasField("series"):
        last, times = event.series.lastObservedTime.seconds, event.series.count
    # Not shared: hardly any two events tell the same.
    facts = {
        "type": type_,
        "reason": reason,
        "message": _line(event.message.strip()),
        "object": f"{kind}/{name}" if name else kind,
        "count": str(times),
    }
    if source := event.source.component or event.reportingComponent:
        facts["source"] = shared(source)
    return row(
        "Event",
        event.metadata,
        status=reason,
        health="degraded" if type_ == "Warning" else "idle",
        since=first,
        facts=facts,
        owner=(kind, name),
        created=last or event.metadata.creationTimestamp.seconds,
    )


def _line(message: str) -> str:
    """The message as one line; most are one."""
    if message.isprintable() and len(message) <= LONGEST_TEXT:
        return message
    return safe_text(message, LONGEST_TEXT)
