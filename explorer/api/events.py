"""`/api/v1/events`."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.models import Environment, Freshness
from explorer.api.shapes import DEFAULT, MOST, CountsField, limit, refuse_problems, refuse_unknown
from explorer.filters import happened
from explorer.filters.cursors import BadCursor
from explorer.filters.happened import EventsAsked, Group, Happened
from explorer.filters.happened.over_time import FACETS
from teams.api import caller

KNOWN = frozenset(
    {
        *("q", "cluster", "environment", "env", "namespace", "owner", "reason", "type", "about"),
        *("window", "sort", "cursor", "limit"),
    }
)
TYPES = ("Warning", "Normal")


class EventsQuerySerializer(serializers.Serializer[Any]):
    """The parameters, for the schema. Those that are lists may be given again."""

    q = serializers.CharField(required=False, help_text="A typed query, see docs/api.md.")
    window = serializers.ChoiceField(choices=list(happened.WINDOWS), default="1h")
    cluster = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Name or id."
    )
    environment = serializers.MultipleChoiceField(choices=Environment.choices, required=False)
    namespace = serializers.ListField(child=serializers.CharField(), required=False)
    type = serializers.MultipleChoiceField(choices=TYPES, required=False)
    reason = serializers.ListField(child=serializers.CharField(), required=False)
    about = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="The kind that is told of."
    )
    owner = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="The object that is told of: `name` or `Kind/name`.",
    )
    sort = serializers.ChoiceField(
        choices=[sign + name for name in happened.SORTS for sign in ("", "-")], default="-last"
    )
    cursor = serializers.CharField(required=False, help_text="The `next` of the page before.")
    limit = serializers.IntegerField(default=DEFAULT, min_value=1, max_value=MOST)


class EventOwnerSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="Empty where nobody knows what it was.")
    name = serializers.CharField()


class EventGroupSerializer(serializers.Serializer[Any]):
    """Events that tell the same of what belongs together."""

    id = serializers.CharField(help_text="Stays the same as long as such events are kept.")
    cluster = serializers.CharField(help_text="The cluster's name.")
    clusterId = serializers.UUIDField()  # noqa: N815 (its name)
    environment = serializers.ChoiceField(choices=Environment.choices)
    freshness = serializers.ChoiceField(choices=Freshness.choices)
    namespace = serializers.CharField()
    kind = serializers.CharField(help_text="Of the objects that are told of.")
    owner = EventOwnerSerializer(help_text="The workload to which they belong, or one of them.")
    type = serializers.ChoiceField(choices=TYPES)
    reason = serializers.CharField()
    message = serializers.CharField(help_text="Of the newest event.")
    times = serializers.IntegerField(help_text="How often it happened, as the events say.")
    events = serializers.IntegerField(help_text="How many events say so.")
    objects = serializers.IntegerField(help_text="Of how many objects.")
    names = serializers.ListField(child=serializers.CharField(), help_text="Up to 5 of them.")
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()


class BarSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    warnings = serializers.IntegerField()
    normal = serializers.IntegerField()


class EventFacetsSerializer(serializers.Serializer[Any]):
    """For each facet the most frequent values and how many events have them."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: CountsField(required=False) for name in FACETS}


class EventsSerializer(serializers.Serializer[Any]):
    groups = EventGroupSerializer(many=True)
    total = serializers.IntegerField(help_text="How many groups there are.")
    events = serializers.IntegerField(help_text="How many events are in all of them.")
    complete = serializers.BooleanField(
        help_text="false where more match than were looked at: the newest 10,000."
    )
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")
    overTime = BarSerializer(many=True, help_text="By when they were last seen.")  # noqa: N815
    facets = EventFacetsSerializer()


class EventList(APIView):
    @extend_schema(
        summary="What happened lately",
        parameters=[EventsQuerySerializer],
        responses=EventsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Events of all clusters that the caller may see, put together where they tell the same."""
        query = request.query_params
        refuse_unknown(query, KNOWN)
        asked, size = EventsAsked.of(query), limit(query)
        refuse_problems(asked.wanted)
        found = Happened(caller(request), asked)
        try:
            page = found.page(size)
        except BadCursor as error:
            raise ValidationError({"cursor": [_("This is no cursor of this order.")]}) from error
        told = happened.told(found)
        clusters = found.inventory.clusters
        rows = [row for row in page.rows if row.cluster_id in clusters]
        fresh = found.standing(clusters[key] for key in {row.cluster_id for row in rows})
        return Response(
            {
                "groups": [_group(found, row, fresh[row.cluster_id]) for row in rows],
                "total": page.total,
                "events": page.events,
                "complete": page.complete,
                "next": page.next,
                "overTime": [_bar(bar) for bar in told.bars],
                "facets": told.facets,
            }
        )


def _group(found: Happened, row: Group, freshness: str) -> dict[str, Any]:
    cluster = found.inventory.clusters[row.cluster_id]
    return {
        "id": row.key,
        "cluster": cluster.name,
        "clusterId": str(cluster.pk),
        "environment": cluster.environment,
        "freshness": freshness,
        "namespace": row.namespace,
        "kind": row.kind,
        "owner": {
            "kind": row.owner_kind or (row.kind if row.owner_name == row.newest else ""),
            "name": row.owner_name,
        },
        "type": row.type,
        "reason": row.reason,
        "message": row.message,
        "times": row.times,
        "events": row.events,
        "objects": row.objects,
        "names": row.names,
        "first": row.first.isoformat(),
        "last": row.last.isoformat(),
    }


def _bar(bar: happened.Bar) -> dict[str, Any]:
    return {
        "since": bar.since.isoformat(),
        "until": bar.until.isoformat(),
        "warnings": bar.warnings,
        "normal": bar.normal,
    }
