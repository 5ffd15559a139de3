"""What the REST API tells of one object; its shapes are in `detail_shapes`."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from clusters.kube.opened.state import Container, Shown
from clusters.kube.opened.text import Value
from clusters.models import Object
from clusters.services.looking import Looked, Related, Relative, Written
from clusters.store.changes import Change, Place
from explorer.filters.causes import Told, moment, told
from explorer.filters.relations import grouped, lists, seen
from explorer.store import Seen
from teams.models import User

Json = dict[str, Any]


def event_json(row: Object) -> Json:
    facts = row.facts
    return {
        "id": row.pk,
        "type": facts.get("type", ""),
        "reason": row.status,
        "message": facts.get("message", ""),
        "count": int(facts.get("count") or 1),
        "source": facts.get("source", ""),
        "kind": row.owner_kind,
        "name": row.owner_name,
        "namespace": row.namespace,
        "first": _iso(row.since),
        "last": _iso(row.created),
    }


def why_json(looked: Looked) -> Json:
    why, state = looked.why, looked.state
    owner = {"kind": why.owner_kind, "name": why.owner_name} if why.owner_name else None
    return {
        "causes": [_cause(told(each)) for each in why.causes],
        "unknown": [
            {"part": each.part, "name": each.name, "text": _(each.words), "reason": _(each.reason)}
            for each in why.unknown
        ],
        "owner": owner,
        "conditions": [_condition(each) for each in state.conditions],
        "containers": [_container(each) for each in state.containers],
        "deletedAt": _iso(moment(state.deleted)),
        "finalizers": list(state.finalizers),
        "readAt": _iso(looked.at),
    }


def _cause(found: Told) -> Json:
    evidence = [
        {**each._asdict(), "since": _iso(each.since), "at": _iso(each.at)}
        for each in found.evidence
    ]
    return {**found._asdict(), "since": _iso(found.since), "evidence": evidence}


def _condition(found: Shown) -> Json:
    return {
        "type": found.type,
        "status": found.status,
        "reason": found.reason,
        "message": found.message,
        "health": found.health,
        "since": _iso(moment(found.since)),
    }


def _container(found: Container) -> Json:
    last = found.last
    return {
        "name": found.name,
        "kind": found.kind or "container",
        "image": found.image,
        "state": found.state,
        "message": found.message,
        "health": found.health,
        "ready": found.ready,
        "restarts": found.restarts,
        "since": _iso(moment(found.since)),
        "exitCode": found.exit_code,
        "requests": found.asked,
        "limits": found.limits,
        "lastRun": last and {
            "reason": last.reason,
            "exitCode": last.exit_code,
            "signal": last.signal,
            "message": last.message,
            "started": _iso(moment(last.started)),
            "finished": _iso(moment(last.finished)),
        },
    }  # fmt: skip


def change_json(found: tuple[Place, Change] | None) -> Json | None:
    if found is None:
        return None
    place, change = found
    return {
        "kind": place.kind,
        "name": place.name,
        "revision": change.revision,
        "at": _iso(change.when),
        "first": change.first,
        "images": [{"old": old, "new": new} for old, new in change.images],
    }


def yaml_json(written: Written) -> Json:
    manifest = written.manifest
    return {
        "yaml": manifest.text,
        "managedFields": manifest.managed,
        "hidden": manifest.masked,
        "resourceVersion": manifest.version,
        "readAt": _iso(written.at),
    }


def related_json(found: Related, user: User, row: Object) -> Json:
    groups = grouped(found)
    known = seen(groups)
    return {
        "groups": [
            {
                "relation": group.relation,
                "label": str(group.label),
                "objects": [_relative(each, known) for each in group.relatives],
                "more": group.more,
            }
            for group in groups
        ],
        "ownsMore": found.more,
        "lists": [{"label": each.label, "url": each.url, "n": each.n} for each in lists(user, row)],
        "unread": [
            {"kind": each.kind, "text": _(each.words), "reason": _(each.reason)}
            for each in found.unread
        ],
        "problem": found.failure and {
            "code": found.failure.code,
            "text": found.failure.text,
            "advice": _(found.failure.advice),
        },
        "readAt": None if found.failure else _iso(found.at),
    }  # fmt: skip


def _relative(found: Relative, known: dict[int, Seen]) -> Json:
    row = found.row
    shown = known[row.pk] if row else None
    return {
        "kind": found.kind,
        "namespace": found.namespace,
        "name": found.name,
        "id": row.pk if row else None,
        "status": row.status if row else "",
        "health": row.health if row else "unknown",
        "freshness": shown.freshness if shown else None,
        "observedAt": _iso(shown.observed_at) if shown else None,
    }


def value_json(value: Value) -> Json:
    return {"key": value.key, "text": value.text, "base64": value.encoded, "size": value.size}


def _iso(found: datetime | None) -> str | None:
    return found.isoformat() if found else None
