"""`/api/v1/search`: what the command palette offers."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.models import Environment, Freshness
from clusters.store import queries
from clusters.store.queries import Named
from explorer.api.shapes import refuse_unknown
from explorer.filters.paths import address, list_path, object_path
from explorer.filters.search import LONGEST, Asked, places, search
from explorer.filters.typed import quoted
from explorer.filters.verbs import Doing, doings
from explorer.filters.words import title
from explorer.models import SavedView
from explorer.store import Seen
from teams.api import caller


class SearchSerializer(serializers.Serializer[Any]):
    """The parameter, for the schema."""

    q = serializers.CharField(help_text="A kind, or none, and parts of names and places.")


class FoundObjectSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    name = serializers.CharField()
    namespace = serializers.CharField()
    cluster = serializers.CharField(help_text="The cluster's name.")
    environment = serializers.ChoiceField(choices=Environment.choices)
    status = serializers.CharField()
    health = serializers.CharField(
        help_text='As of objects, and "stale" where the status is no present one.'
    )
    freshness = serializers.ChoiceField(choices=Freshness.choices)
    observedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)
    url = serializers.CharField(help_text="Its page.")


class FoundClusterSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    environment = serializers.ChoiceField(choices=Environment.choices)
    freshness = serializers.ChoiceField(choices=Freshness.choices)
    url = serializers.CharField()


class FoundListSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    url = serializers.CharField()


class FoundViewSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
    team = serializers.CharField(allow_null=True, help_text="Whose it is, if not the caller's.")
    url = serializers.CharField()


class FoundActionSerializer(serializers.Serializer[Any]):
    verb = serializers.CharField(help_text="`logs`, `events`, or the name of an act.")
    title = serializers.CharField()
    object = FoundObjectSerializer()
    url = serializers.CharField(help_text="Where it leads; of an act the dialog that asks first.")
    dialog = serializers.BooleanField()


class FoundSerializer(serializers.Serializer[Any]):
    actions = FoundActionSerializer(
        many=True, help_text="Where the first word is a verb: what the caller may do."
    )
    objects = FoundObjectSerializer(many=True)
    clusters = FoundClusterSerializer(many=True)
    lists = FoundListSerializer(many=True)
    views = FoundViewSerializer(many=True)
    complete = serializers.BooleanField(help_text="false where the time was over before the end.")


class Search(APIView):
    @extend_schema(
        summary="What a few words may mean",
        parameters=[SearchSerializer],
        responses=FoundSerializer,
    )
    def get(self, request: Request) -> Response:
        """Objects, clusters, lists and saved views that the caller may see, the best first."""
        query = request.query_params
        refuse_unknown(query, ("q",))
        q = query.get("q", "")
        if len(q) > LONGEST:
            text = _("Give at most %(most)d characters.") % {"most": LONGEST}
            raise ValidationError({"q": [text]})
        user = caller(request)
        found, (doing, in_time) = search(user, q), doings(user, q)
        clusters = queries.named(user).values()
        return Response(
            {
                "actions": list(map(_action, doing)),
                "objects": list(map(_object, found.objects)),
                "clusters": list(map(_cluster, found.clusters)),
                "lists": [*map(_list, found.lists), *_with_these_words(found.asked, clusters)],
                "views": list(map(_view, found.views)),
                "complete": found.complete and in_time,
            }
        )


def _object(seen: Seen) -> dict[str, Any]:
    row, cluster = seen.object, seen.cluster
    return {
        "id": row.pk,
        "kind": row.kind,
        "name": row.name,
        "namespace": row.namespace,
        "cluster": cluster.name,
        "environment": cluster.environment,
        "status": row.status,
        "health": seen.shown_health,
        "freshness": seen.freshness,
        "observedAt": seen.observed_at.isoformat() if seen.observed_at else None,
        "url": object_path(row.kind, row.pk),
    }


def _action(doing: Doing) -> dict[str, Any]:
    title = _("%(act)s: %(name)s") % {"act": doing.label, "name": doing.seen.object.name}
    return {
        "verb": doing.verb,
        "title": title,
        "object": _object(doing.seen),
        "url": doing.url,
        "dialog": doing.dialog,
    }


def _cluster(cluster: Named) -> dict[str, Any]:
    return {
        "id": str(cluster.pk),
        "name": cluster.name,
        "environment": cluster.environment,
        "freshness": cluster.freshness,
        "url": reverse("cluster-detail", args=[cluster.pk]),
    }


def _list(kind: str) -> dict[str, str]:
    return {"title": title(kind), "url": list_path(kind)}


def _with_these_words(asked: Asked, clusters: Iterable[Named]) -> list[dict[str, str]]:
    """All of the kind, or all pods, with the words in their names, in the clusters that are named;
    of events those that are put together.
    """
    if not asked.words:
        return []
    kind = asked.kind or "Pod"
    words, query = places(asked, clusters) if asked.kind else (list(asked.words), {})
    if words:
        query["q"] = [" ".join(map(quoted, words))]
    told = _("%(title)s with “%(words)s”") % {"title": title(kind), "words": " ".join(asked.words)}
    asks = urlencode(query, doseq=True)
    url = f"{reverse('events')}?{asks}" if kind == "Event" else address(kind, asks)
    return [{"title": told, "url": url}]


def _view(view: SavedView) -> dict[str, Any]:
    return {
        "id": view.pk,
        "name": view.name,
        "kind": view.kind,
        "team": view.team.name if view.team else None,
        "url": address(view.kind, view.query),
    }
