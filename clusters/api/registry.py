"""`/api/v1/clusters`."""

from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.kube import errors
from clusters.models import Cluster
from clusters.serializers import RegistrationSerializer, cluster_json
from clusters.services import registration
from teams import access
from teams.api import BadGateway, Conflict, GatewayTimeout, caller
from teams.roles import Action


class ClusterList(APIView):
    def get(self, request: Request) -> Response:
        clusters = [cluster_json(row) for row in access.visible(caller(request), Cluster)]
        return Response({"clusters": clusters, "total": len(clusters)})

    def post(self, request: Request) -> Response:
        access.require_platform_admin(caller(request))
        body = RegistrationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            cluster = registration.register(body.registration, by=caller(request))
        except registration.RegistrationFailed as error:
            raise as_api_error(error) from error
        return Response(cluster_json(cluster), status=status.HTTP_201_CREATED)


class ClusterDetail(APIView):
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(cluster_json(access.get_or_404(caller(request), Cluster, pk)))

    def delete(self, request: Request, pk: UUID) -> Response:
        cluster = access.get_or_404(caller(request), Cluster, pk, Action.ADMIN)
        registration.delete(cluster, by=caller(request))
        message = _("%(name)s is no longer registered; the cluster itself is untouched.")
        return Response({"message": message % {"name": cluster.name}})


def as_api_error(failed: registration.RegistrationFailed) -> APIException:
    """400 for what the caller must mend, 502 and 504 for a cluster that fails or hangs."""
    match failed.cause:
        case errors.Unauthorized() | errors.Forbidden() | errors.NotFound():
            return ValidationError({failed.field: [str(failed)]})
        case errors.TimedOut():
            return GatewayTimeout(str(failed))
        case errors.KubeError():
            return BadGateway(str(failed))
        case _ if failed.field == "name":
            return Conflict(str(failed))
        case _:
            return ValidationError({failed.field: [str(failed)]})
