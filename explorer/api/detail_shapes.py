"""What the REST API gives about one object."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from clusters.kube.opened.state import Container, Shown
from clusters.kube.opened.text import Value
from clusters.models import Object
from clusters.services.looking import Looked, Related, Relative, Written
from clusters.store.changes import Change, Place
from explorer.api.shapes import OwnerSerializer
from explorer.filters.causes import Told, moment, told
from explorer.filters.relations import RELATIONS, grouped, lists
from explorer.filters.words import HEALTH
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
    return {
        "groups": [
            {
                "relation": group.relation,
                "label": str(group.label),
                "objects": [_relative(each) for each in group.relatives],
                "more": group.more,
            }
            for group in grouped(found)
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


def _relative(found: Relative) -> Json:
    row = found.row
    return {
        "kind": found.kind,
        "namespace": found.namespace,
        "name": found.name,
        "id": row.pk if row else None,
        "status": row.status if row else "",
        "health": row.health if row else "unknown",
    }


def value_json(value: Value) -> Json:
    return {"key": value.key, "text": value.text, "base64": value.encoded, "size": value.size}


def _iso(found: datetime | None) -> str | None:
    return found.isoformat() if found else None


class EventShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    type = serializers.CharField(help_text="`Normal` or `Warning`.")
    reason = serializers.CharField()
    message = serializers.CharField()
    count = serializers.IntegerField()
    # DRF takes declared fields out of the class, so its own `source` stays.
    source = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField(help_text="Of the object that it is about.")
    name = serializers.CharField()
    namespace = serializers.CharField(help_text="Of the event.")
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()


class EventsShape(serializers.Serializer[Any]):
    events = EventShape(many=True)


class EvidenceShape(serializers.Serializer[Any]):
    # As above.
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=["field", "condition", "container", "event", "answer"]
    )
    place = serializers.CharField(help_text="The path in the object, or the event's reason.")
    text = serializers.CharField(help_text="In the cluster's own words.")
    since = serializers.DateTimeField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    times = serializers.IntegerField()


class CauseShape(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="A stable word for the cause, such as `image_unknown`.")
    kind = serializers.CharField(help_text="Of the object that it is true of.")
    namespace = serializers.CharField()
    name = serializers.CharField()
    container = serializers.CharField(help_text="Empty where all of the object is meant.")
    text = serializers.CharField(help_text="What is wrong, in the caller's language.")
    advice = serializers.CharField(help_text="What to do about it.")
    since = serializers.DateTimeField(allow_null=True)
    urgent = serializers.BooleanField(help_text="Waiting does not mend it.")
    pods = serializers.IntegerField(help_text="Of how many pods of a workload it is true.")
    facts = serializers.DictField(child=serializers.CharField())
    evidence = EvidenceShape(many=True)


class UnknownShape(serializers.Serializer[Any]):
    part = serializers.CharField()
    name = serializers.CharField()
    text = serializers.CharField()
    reason = serializers.CharField()


class ConditionShape(serializers.Serializer[Any]):
    type = serializers.CharField()
    status = serializers.CharField()
    reason = serializers.CharField()
    message = serializers.CharField()
    health = serializers.ChoiceField(choices=list(HEALTH.items()))
    since = serializers.DateTimeField(allow_null=True)


class LastRunShape(serializers.Serializer[Any]):
    reason = serializers.CharField()
    exitCode = serializers.IntegerField()  # noqa: N815 (its name)
    signal = serializers.IntegerField()
    message = serializers.CharField()
    started = serializers.DateTimeField(allow_null=True)
    finished = serializers.DateTimeField(allow_null=True)


class ContainerShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["container", "init", "sidecar", "ephemeral"])
    image = serializers.CharField()
    state = serializers.CharField()
    message = serializers.CharField()
    health = serializers.ChoiceField(choices=list(HEALTH.items()))
    ready = serializers.BooleanField()
    restarts = serializers.IntegerField()
    since = serializers.DateTimeField(allow_null=True)
    exitCode = serializers.IntegerField(allow_null=True)  # noqa: N815 (its name)
    requests = serializers.DictField(child=serializers.CharField())
    limits = serializers.DictField(child=serializers.CharField())
    lastRun = LastRunShape(allow_null=True)  # noqa: N815 (its name)


class ImagesShape(serializers.Serializer[Any]):
    old = serializers.CharField()
    new = serializers.CharField()


class ChangeShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    name = serializers.CharField()
    revision = serializers.CharField()
    at = serializers.DateTimeField()
    first = serializers.BooleanField()
    images = ImagesShape(many=True)


class WhyShape(serializers.Serializer[Any]):
    causes = CauseShape(many=True, help_text="None: nothing is wrong with it.")
    unknown = UnknownShape(many=True, help_text="What could not be looked at, and why.")
    owner = OwnerSerializer(allow_null=True, help_text="In what its template stands.")
    conditions = ConditionShape(many=True)
    containers = ContainerShape(many=True)
    deletedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)
    finalizers = serializers.ListField(child=serializers.CharField())
    change = ChangeShape(allow_null=True, help_text="The newest revision of its Deployment.")
    readAt = serializers.DateTimeField()  # noqa: N815 (its name)


class YamlShape(serializers.Serializer[Any]):
    yaml = serializers.CharField()
    managedFields = serializers.CharField(help_text="As YAML; kept out of it.")  # noqa: N815
    hidden = serializers.IntegerField(help_text="How many values of a Secret are hidden.")
    resourceVersion = serializers.CharField()  # noqa: N815 (its name)
    readAt = serializers.DateTimeField()  # noqa: N815 (its name)


class RelativeShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    id = serializers.IntegerField(allow_null=True, help_text="null: not stored, or not to see.")
    status = serializers.CharField()
    health = serializers.ChoiceField(choices=list(HEALTH.items()))


class GroupShape(serializers.Serializer[Any]):
    relation = serializers.ChoiceField(choices=list(RELATIONS.items()))
    # DRF takes declared fields out of the class, so its own `label` stays.
    label = serializers.CharField()  # type: ignore[assignment]
    objects = RelativeShape(many=True)
    more = serializers.IntegerField(help_text="How many are not told of.")


class ListedShape(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # as above
    url = serializers.CharField()
    n = serializers.IntegerField()


class UnreadShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    text = serializers.CharField()
    reason = serializers.CharField()


class ProblemShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()
    advice = serializers.CharField()


class RelatedShape(serializers.Serializer[Any]):
    groups = GroupShape(many=True)
    ownsMore = serializers.BooleanField()  # noqa: N815 (its name)
    lists = ListedShape(many=True, help_text="Of what is on a node, or in a namespace.")
    unread = UnreadShape(many=True)
    problem = ProblemShape(allow_null=True)
    readAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)


class ValueShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    text = serializers.CharField(allow_null=True, help_text="null for what is no text.")
    base64 = serializers.CharField()
    size = serializers.IntegerField(help_text="In bytes.")


class RevealedShape(serializers.Serializer[Any]):
    values = ValueShape(many=True)
