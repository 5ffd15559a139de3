"""`/api/v1/clusters/{id}/kubeconfig`."""

from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.models import Cluster
from kubectl import services
from kubectl.forms import LASTING, USUAL
from teams import access, confirmation
from teams.api import Conflict, caller
from teams.roles import Action
from teams.services.tokens import Refused


class KubeconfigSerializer(serializers.Serializer[dict[str, int]]):
    hours = serializers.IntegerField(min_value=1, max_value=max(LASTING), default=USUAL)


class ClusterKubeconfig(APIView):
    @extend_schema(
        summary="A kubeconfig that leads through MCM",
        request=KubeconfigSerializer,
        responses={(201, "application/yaml"): OpenApiTypes.STR},
    )
    def post(self, request: Request, pk: UUID) -> Response | HttpResponse:
        """A kubeconfig of the caller, with a new token that lasts `hours` (8 without).

        Asked for with a token that ends earlier, it ends with that one.
        """
        cluster = access.get_or_404(caller(request), Cluster, pk)
        access.require_token_for(caller(request), Action.ADMIN)
        confirmation.require(request)
        given = KubeconfigSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        lasts = timedelta(hours=given.validated_data["hours"])
        try:
            url = services.address(request.get_host(), secure=request.is_secure())
        except services.NoAddress as error:
            raise Conflict(_("MCM has no HTTPS address that kubectl could use.")) from error
        try:
            text = services.issue(cluster, url, lasts, by=caller(request))
        except Refused as error:
            raise Conflict(str(error)) from error
        answer = HttpResponse(text, content_type="application/yaml", status=HTTPStatus.CREATED)
        answer["Cache-Control"] = "no-store"
        return answer
