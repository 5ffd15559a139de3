"""`/api/v1/clusters/{id}/stats`, `/resources` and `/usage`."""

from typing import Any, cast
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters import vault
from clusters.api.shapes import ResourcesShape, StatsShape, UsageShape
from clusters.kube import errors
from clusters.models import SCOPES, Cluster, Freshness, Scope
from clusters.services import figures
from clusters.store import queries, usage
from teams import access
from teams.api import BadGateway, GatewayTimeout, caller
from teams.serializers import StrictSerializer
from teams.throttles import Costly, Throttle

MONTH = 24 * 30


class ClusterStats(APIView):
    """Counts over what the caller may see; the four figures of pods add up to `podCount`."""

    @extend_schema(responses=StatsShape)
    def get(self, request: Request, pk: UUID) -> Response:
        user = caller(request)
        cluster = access.get_or_404(user, Cluster, pk)
        stats = queries.stats(user, cluster)
        freshness, observed_at = figures.observed(cluster, "Node", "Namespace", "Pod")
        return Response(
            {
                "nodeCount": stats.nodes,
                "podCount": stats.pods,
                "namespaceCount": stats.namespaces,
                "runningPods": stats.running,
                "pendingPods": stats.pending,
                "failedPods": stats.failing,
                "succeededPods": stats.succeeded,
                "freshness": freshness,
                "observedAt": observed_at.isoformat() if observed_at else None,
            }
        )


class ClusterResources(APIView):
    """What nodes and pods use right now: millicores and MiB, from the cluster's metrics API."""

    throttle_classes = (Throttle, Costly)
    costly = ("GET",)

    @extend_schema(responses=ResourcesShape)
    def get(self, request: Request, pk: UUID) -> Response:
        user = caller(request)
        cluster = access.get_or_404(user, Cluster, pk)
        if cluster.freshness == Freshness.UNREACHABLE:
            # To wait for it again would only hold a place that others need.
            raise BadGateway(cluster.reason or _("The cluster does not answer."))
        try:
            found = figures.resources(user, cluster)
        except errors.TimedOut as error:
            raise GatewayTimeout(_(str(error))) from error
        except errors.KubeError as error:
            raise BadGateway(_(str(error))) from error
        except vault.CannotOpen as error:
            raise BadGateway(_("The stored credentials cannot be opened.")) from error
        return Response(msgspec.to_builtins({"nodes": found.nodes, "pods": found.pods}))


class UsageSerializer(StrictSerializer):
    """The query of `/usage`: which series, and how far back."""

    scope = serializers.ChoiceField(choices=SCOPES, default="cluster")
    namespace = serializers.CharField(max_length=63, default="")
    name = serializers.CharField(max_length=253, default="")
    hours = serializers.IntegerField(min_value=1, max_value=MONTH, default=usage.BY_MINUTE)

    # What names a series of each scope.
    NAMED_BY: dict[str, set[str]] = {
        "cluster": set(),
        "node": {"name"},
        "namespace": {"namespace"},
        "pod": {"namespace", "name"},
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = self.NAMED_BY[attrs["scope"]]
        wrong = {
            field: [_("This scope needs it.") if field in wanted else _("This scope has none.")]
            for field in ("namespace", "name")
            if bool(attrs[field]) != (field in wanted)
        }
        if attrs["scope"] == "pod" and attrs["hours"] > usage.BY_MINUTE:
            wrong["hours"] = [_("What pods use is kept for 24 hours.")]
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


class ClusterUsage(APIView):
    """Use over time: a point each minute up to 24 hours, each hour beyond that."""

    @extend_schema(parameters=[UsageSerializer], responses=UsageShape)
    def get(self, request: Request, pk: UUID) -> Response:
        user = caller(request)
        cluster = access.get_or_404(user, Cluster, pk)
        query = UsageSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        chosen = query.validated_data
        scope = cast(Scope, chosen["scope"])
        namespace, name = chosen["namespace"], chosen["name"]
        figures.require_scope(user, cluster, scope, namespace)
        line = usage.series(cluster.pk, scope, name, namespace, chosen["hours"])
        cpu, memory = figures.allocatable(cluster, scope, name) or (None, None)
        return Response(
            {
                **chosen,
                "times": line.times,
                "cpu": line.cpu,
                "memory": line.memory,
                "cpuAllocatable": cpu,
                "memoryAllocatable": memory,
            }
        )
