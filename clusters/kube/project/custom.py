"""Custom resources, whose state is told by convention only.

In this order: what kstatus (sigs.k8s.io/cli-utils/pkg/kstatus) reads from the metadata and from
the conditions `Stalled` and `Reconciling`; a condition that says whether it is ready; a health, a
phase or a state in the status. An object that has none of them has no state: status "", idle.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from clusters.kube.project.base import (
    LARGEST_INT64,
    LATEST,
    LONGEST_TEXT,
    NO_FACTS,
    TERMINATING,
    is_name,
    shared,
)
from clusters.kube.types import Health, Row

READY = ("Ready", "Available", "Healthy", "Synced", "Established", "Accepted", "Programmed")
ENDED: dict[str, Health] = {"Failed": "failing", "Complete": "idle", "Succeeded": "idle"}
WORDS: dict[str, Health] = {
    **dict.fromkeys(
        ("active", "available", "bound", "deployed", "established", "healthy", "issued", "online",
         "ready", "running", "synced", "valid", "cluster in healthy state"), "healthy"),
    **dict.fromkeys(
        ("creating", "deleting", "initializing", "installing", "pending", "processing",
         "progressing", "provisioning", "queued", "reconciling", "scaling", "starting",
         "terminating", "updating", "upgrading", "waiting"), "progressing"),
    **dict.fromkeys(
        ("degraded", "missing", "notready", "outofsync", "partial", "paused", "warning"),
        "degraded"),
    **dict.fromkeys(
        ("error", "failed", "failure", "invalid", "lost", "stalled", "unavailable"), "failing"),
    **dict.fromkeys(
        ("completed", "complete", "disabled", "done", "finished", "inactive", "succeeded",
         "suspended"), "idle"),
}  # fmt: skip
MOST_CONDITIONS = 64
MOST_LABELS = 256


class _Owner(msgspec.Struct):
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    owner_references: list[_Owner] | None = None


class Custom(msgspec.Struct):
    """Any object in JSON; its status may be anything at all."""

    metadata: _Metadata
    status: Any = None


class _State(NamedTuple):
    status: str
    health: Health
    since: int = 0


def custom_row(kind: str) -> Callable[[Custom], Row]:
    """The projection of a custom kind; it raises ValueError as for pods."""

    def project(found: Custom) -> Row:
        metadata = found.metadata
        version = int(metadata.resource_version)
        if not (is_name(metadata.uid) and is_name(metadata.name) and 0 <= version <= LARGEST_INT64):
            raise ValueError("metadata that no API server sends")
        status, health, since = _state(found)
        owner = _owner(metadata.owner_references or [])
        labels = list((metadata.labels or {}).items())[:MOST_LABELS]
        return Row(
            kind=kind,
            namespace=shared(metadata.namespace),
            name=metadata.name,
            uid=metadata.uid,
            resource_version=version,
            labels={shared(key): shared(value) for key, value in labels},
            owner_kind=shared(owner.kind),
            owner_name=shared(owner.name),
            images=(),
            status=shared(status),
            health=health,
            ready=0,
            wanted=0,
            restarts=0,
            node="",
            created=_seconds(metadata.creation_timestamp),
            since=since,
            cpu=0,
            memory=0,
            facts=NO_FACTS,
        )

    return project


def _owner(owners: list[_Owner]) -> _Owner:
    first = owners[0] if owners else _Owner()
    return next((each for each in owners if each.controller), first)


def _state(found: Custom) -> _State:
    if found.metadata.deletion_timestamp:
        return _State(TERMINATING, "progressing", _seconds(found.metadata.deletion_timestamp))
    status = found.status if isinstance(found.status, dict) else {}
    observed = status.get("observedGeneration")
    if isinstance(observed, int) and observed < found.metadata.generation:
        return _State("Progressing", "progressing")
    conditions = _conditions(status)
    return _stuck(conditions) or _readiness(conditions) or _word(status) or _State("", "idle")


def _conditions(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The conditions by their type."""
    listed = status.get("conditions")
    if not isinstance(listed, list):
        return {}
    return {
        _text(each, "type"): each for each in listed[:MOST_CONDITIONS] if isinstance(each, dict)
    }


def _stuck(conditions: dict[str, dict[str, Any]]) -> _State | None:
    stalled, reconciling = conditions.get("Stalled"), conditions.get("Reconciling")
    if stalled is not None and stalled.get("status") == "True":
        return _State(_text(stalled, "reason") or "Stalled", "failing", _since(stalled))
    if reconciling is not None and reconciling.get("status") == "True":
        return _State("Reconciling", "progressing", _since(reconciling))
    for word, health in ENDED.items():
        ended = conditions.get(word)
        if ended is not None and ended.get("status") == "True":
            return _State(word, health, _since(ended))
    return None


def _readiness(conditions: dict[str, dict[str, Any]]) -> _State | None:
    present = [conditions[each] for each in READY if each in conditions]
    if not present:
        return None
    # Any of them that is not true counts before the others: Synced, but not Ready.
    chosen = next((each for each in present if each.get("status") != "True"), present[0])
    type_, since = _text(chosen, "type"), _since(chosen)
    if chosen.get("status") == "True":
        return _State(type_, "healthy", since)
    reason = _text(chosen, "reason")
    if chosen.get("status") == "False":
        status = reason or f"Not{type_}"
        return _State(status, WORDS.get(status.lower(), "degraded"), since)
    return _State(reason or "Unknown", "unknown", since)


def _word(status: dict[str, Any]) -> _State | None:
    health = status.get("health")
    nested = _text(health, "status") if isinstance(health, dict) else ""
    word = nested or _text(status, "phase") or _text(status, "state")
    return _State(word, WORDS.get(word.lower(), "unknown")) if word else None


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return value[:LONGEST_TEXT] if isinstance(value, str) else ""


def _since(condition: dict[str, Any]) -> int:
    return _seconds(_text(condition, "lastTransitionTime"))


def _seconds(text: str | None) -> int:
    """Seconds since 1970 of an RFC 3339 time; 0 for none and for a hostile one."""
    try:
        at = datetime.fromisoformat(text).timestamp() if text and len(text) < 64 else 0
    except (ValueError, OverflowError):
        return 0
    return int(at) if 0 <= at <= LATEST else 0
