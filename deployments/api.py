"""`/api/v1/charts` and `/api/v1/releases`."""

from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.models import Cluster, Namespace
from deployments import helm, services, store
from deployments.forms import LARGEST_CHART
from deployments.models import Chart, Release
from deployments.serializers import (
    ChartFileSerializer,
    ChartShape,
    ChartsShape,
    InstallSerializer,
    ReleaseShape,
    ReleasesShape,
    chart_json,
    release_json,
)
from operations.api import AcceptedShape, accepted, held_answer, named_cluster
from operations.services import Held
from teams import access
from teams.api import caller
from teams.roles import Action
from teams.throttles import Costly, Throttle


class ChartList(APIView):
    throttle_classes = (Throttle, Costly)
    costly = ("POST",)

    @extend_schema(
        operation_id="charts_list", parameters=[OpenApiParameter("q", str)], responses=ChartsShape
    )
    def get(self, request: Request) -> Response:
        charts = access.visible(caller(request), Chart).defer("archive", "values")
        q = request.query_params.get("q", "")
        found = [chart_json(chart) for chart in charts.filter(name__icontains=q)]
        return Response({"charts": found, "total": len(found)})

    @extend_schema(
        request={"multipart/form-data": ChartFileSerializer}, responses={201: ChartShape}
    )
    def post(self, request: Request) -> Response:
        access.require_anywhere(caller(request), Action.OPERATE, Cluster, Namespace)
        upload = request.FILES.get("file")
        if upload is None:
            raise ValidationError({"file": [_("Send the chart archive as multipart field file.")]})
        if (upload.size or 0) > LARGEST_CHART:
            raise ValidationError({"file": [_("The archive is larger than 10 MiB.")]})
        try:
            chart = services.upload_chart(upload.read(), by=caller(request))
        except helm.BadChart as error:
            raise ValidationError({"file": [services.explain(error)]}) from error
        return Response(chart_json(chart), status=status.HTTP_201_CREATED)


class ReleaseList(APIView):
    @extend_schema(
        operation_id="releases_list",
        parameters=[OpenApiParameter(name, str) for name in ("cluster", "namespace", "q")],
        responses=ReleasesShape,
    )
    def get(self, request: Request) -> Response:
        query, who = request.query_params, access.holdings(caller(request))
        rows = store.search(store.releases(who), query.get("q", ""))
        if "cluster" in query:
            rows = rows.filter(cluster=named_cluster(who, query["cluster"]))
        if "namespace" in query:
            rows = rows.filter(namespace=query["namespace"])
        found = [release_json(release) for release in rows]
        return Response({"releases": found, "total": len(found)})

    @extend_schema(request=InstallSerializer, responses={202: AcceptedShape})
    def post(self, request: Request) -> Response:
        access.require_anywhere(caller(request), Action.OPERATE, Cluster, Namespace)
        body = InstallSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            operation = services.request_install(
                _install_request(request, body), by=caller(request)
            )
        except helm.InvalidName as error:
            raise ValidationError({error.field: [services.explain(error)]}) from error
        except helm.BadValues as error:
            raise ValidationError({"values": [services.explain(error)]}) from error
        except Held as held:
            return held_answer(held)
        return accepted(operation)


class ReleaseDetail(APIView):
    @extend_schema(responses=ReleaseShape)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(release_json(access.get_or_404(caller(request), Release, pk)))

    @extend_schema(
        parameters=[OpenApiParameter("keepHistory", bool)], responses={202: AcceptedShape}
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        release = access.get_or_404(caller(request), Release, pk, Action.OPERATE)
        keep = request.query_params.get("keepHistory") == "true"
        try:
            return accepted(
                services.request_uninstall(release, keep_history=keep, by=caller(request))
            )
        except Held as held:
            return held_answer(held)


def _install_request(request: Request, body: InstallSerializer) -> services.InstallRequest:
    """The checked body with its names looked up; what the caller may not see is not there."""
    data = body.validated_data
    try:
        cluster = named_cluster(caller(request), data["cluster"])
    except Http404 as error:
        raise ValidationError({"cluster": [_("There is no such cluster.")]}) from error
    chart = access.visible(caller(request), Chart).filter(pk=data["chart"]["upload"]).first()
    if chart is None:
        raise ValidationError({"chart.upload": [_("There is no such chart.")]})
    return services.InstallRequest(
        cluster=cluster,
        namespace=data["namespace"],
        name=data["name"],
        chart=chart,
        values=data["values"],
        **data["options"],
    )
