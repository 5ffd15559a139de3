"""What the REST API gives about objects."""

from collections.abc import Iterable
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from clusters.models import Environment, Freshness
from clusters.store.capacity import Share
from clusters.store.nodes import Load
from explorer.filters.counts import FACETS
from explorer.filters.criteria import PARAMETERS, ObjectFilter
from explorer.filters.ordering import SORTS
from explorer.filters.words import HEALTH
from explorer.store import Seen
from teams.api import Misread

MOST = 500
DEFAULT = 100
KNOWN = {*PARAMETERS, "env", "q", "sort", "cursor", "limit", "counts"}


def limit(query: QueryDict) -> int:
    """How many objects a page holds. Raises ValidationError."""
    text = query.get("limit", str(DEFAULT))
    if not (text.isdecimal() and text.isascii() and len(text) < 4 and 1 <= int(text) <= MOST):
        raise ValidationError({"limit": [_("Give a number from 1 to %(most)d.") % {"most": MOST}]})
    return int(text)


def counted(query: QueryDict) -> bool:
    """Whether the total and the facets are wanted. Raises ValidationError."""
    text = query.get("counts", "true")
    if text not in {"true", "false"}:
        raise ValidationError({"counts": [_("Say true or false.")]})
    return text == "true"


def refuse_unknown(query: QueryDict, known: Iterable[str] = KNOWN) -> None:
    """A mistyped parameter is never ignored. Raises ValidationError."""
    unknown = sorted(set(query) - set(known))
    if unknown:
        raise ValidationError({name: [_("There is no such parameter.")] for name in unknown})


def refuse_problems(wanted: ObjectFilter) -> None:
    """What cannot be read is told, and where it stands. Raises ValidationError."""
    if not wanted.problems:
        return
    if not wanted.places:
        raise ValidationError(wanted.problems)
    places = [{"offset": offset, "length": length} for offset, length in wanted.places]
    raise Misread(wanted.problems, {"q": places})


def object_json(seen: Seen) -> dict[str, Any]:
    """An object as the API shows it."""
    row, cluster = seen.object, seen.cluster
    owner = {"kind": row.owner_kind, "name": row.owner_name} if row.owner_name else None
    return {
        "id": row.pk,
        "cluster": cluster.name,
        "clusterId": str(cluster.pk),
        "environment": cluster.environment,
        "kind": row.kind,
        "namespace": row.namespace,
        "name": row.name,
        "uid": row.uid,
        "labels": row.labels,
        "owner": owner,
        "images": row.images,
        "status": row.status,
        "health": row.health,
        "ready": row.ready,
        "wanted": row.wanted,
        "restarts": row.restarts,
        "node": row.node,
        "cpu": row.cpu,
        "memory": row.memory,
        "created": row.created.isoformat(),
        "since": row.since.isoformat(),
        "observedAt": seen.observed_at.isoformat() if seen.observed_at else None,
        "freshness": seen.freshness,
        "facts": row.facts,
        "load": _load_json(seen.load) if seen.load else None,
    }


def _load_json(load: Load) -> dict[str, Any]:
    return {
        "cpu": _share_json(load.cpu),
        "memory": _share_json(load.memory),
        "pods": load.pods,
        "mostPods": load.most_pods,
        "troubledPods": load.troubled,
        "behind": load.behind or None,
    }


def _share_json(share: Share) -> dict[str, int | None]:
    return {"used": share.used, "requested": share.requested, "allocatable": share.allocatable}


class OwnerSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    name = serializers.CharField()


class ShareSerializer(serializers.Serializer[Any]):
    used = serializers.IntegerField(allow_null=True, help_text="null where it is not known.")
    requested = serializers.IntegerField()
    allocatable = serializers.IntegerField()


class LoadSerializer(serializers.Serializer[Any]):
    """What is on a node: millicores, MiB, and pods that are not over."""

    cpu = ShareSerializer()
    memory = ShareSerializer()
    pods = serializers.IntegerField()
    mostPods = serializers.IntegerField(help_text="0 where it is not known.")  # noqa: N815
    troubledPods = serializers.IntegerField()  # noqa: N815 (its name)
    behind = serializers.CharField(
        allow_null=True, help_text="The API server's version where the kubelet's is an older minor."
    )


class ObjectSerializer(serializers.Serializer[Any]):
    """The shape of `object_json`, for the schema."""

    id = serializers.IntegerField()
    cluster = serializers.CharField(help_text="The cluster's name.")
    clusterId = serializers.UUIDField()  # noqa: N815 (its name)
    environment = serializers.ChoiceField(choices=Environment.choices)
    kind = serializers.CharField(help_text="As Kubernetes calls it; custom ones with their group.")
    namespace = serializers.CharField(help_text="Empty for what stands outside namespaces.")
    name = serializers.CharField()
    uid = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    owner = OwnerSerializer(allow_null=True)
    images = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField(help_text="The word that `kubectl get` prints.")
    health = serializers.ChoiceField(choices=list(HEALTH.items()))
    ready = serializers.IntegerField()
    wanted = serializers.IntegerField()
    restarts = serializers.IntegerField()
    node = serializers.CharField()
    cpu = serializers.IntegerField(help_text="Requested, of a node allocatable; millicores.")
    memory = serializers.IntegerField(help_text="Requested, of a node allocatable; MiB.")
    created = serializers.DateTimeField()
    since = serializers.DateTimeField(help_text="Since when the status is what it is.")
    observedAt = serializers.DateTimeField(  # noqa: N815 (its name)
        allow_null=True, help_text="Until when this was known to be the cluster's state."
    )
    freshness = serializers.ChoiceField(choices=Freshness.choices)
    facts = serializers.DictField(
        child=serializers.CharField(), help_text="What only this kind has."
    )
    load = LoadSerializer(allow_null=True, help_text="Of nodes in lists; null of all else.")


class CountsField(serializers.DictField):
    child = serializers.IntegerField()


class FacetsSerializer(serializers.Serializer[Any]):
    """For each facet the most frequent values and how many objects have them."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: CountsField(required=False) for name in FACETS}


class ObjectsSerializer(serializers.Serializer[Any]):
    """A page of objects, what follows it, and how all that match fall into facets."""

    objects = ObjectSerializer(many=True)
    total = serializers.IntegerField(allow_null=True, help_text="null with `counts=false`.")
    totalIsExact = serializers.BooleanField(  # noqa: N815 (its name)
        help_text="false where more match than were counted, and facets show only those counted."
    )
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")
    facets = FacetsSerializer()


class QuerySerializer(serializers.Serializer[Any]):
    """The parameters of the list, for the schema. Those without a default may be given again."""

    q = serializers.CharField(required=False, help_text="A typed query, see docs/api.md.")
    cluster = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Name or id."
    )
    environment = serializers.MultipleChoiceField(choices=Environment.choices, required=False)
    kind = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="`Pod`, `pods` or `po`."
    )
    namespace = serializers.ListField(child=serializers.CharField(), required=False)
    status = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="`failing` means every error."
    )
    health = serializers.MultipleChoiceField(choices=list(HEALTH.items()), required=False)
    # DRF takes declared fields out of the class, so its own `label` stays.
    label = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField(),
        required=False,
        help_text="`key=value`; different keys must all hold.",
    )
    node = serializers.ListField(child=serializers.CharField(), required=False)
    image = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="A part of an image."
    )
    owner = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="`name` or `Kind/name`."
    )
    sort = serializers.ChoiceField(
        choices=[sign + name for name in SORTS for sign in ("", "-")], default="name"
    )
    cursor = serializers.CharField(required=False, help_text="The `next` of the page before.")
    limit = serializers.IntegerField(default=DEFAULT, min_value=1, max_value=MOST)
    counts = serializers.BooleanField(default=True, help_text="false leaves total and facets out.")
