"""`/api/v1/clusters`."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters import vault
from clusters.api.shapes import ClusterShape, ClustersShape, MessageShape
from clusters.kube import errors
from clusters.kube.discovery import CustomResourceFound
from clusters.models import Cluster
from clusters.serializers import ChangeSerializer, RegistrationSerializer, cluster_json
from clusters.services import editing, kinds, registration
from clusters.services.checks import RegistrationFailed, explain
from clusters.store import queries
from teams import access, confirmation
from teams.api import BadGateway, Conflict, GatewayTimeout, caller
from teams.models import User
from teams.roles import Action
from teams.throttles import Costly, Throttle


class ClusterList(APIView):
    throttle_classes = (Throttle, Costly)
    costly = ("POST",)

    @extend_schema(operation_id="clusters_list", responses=ClustersShape)
    def get(self, request: Request) -> Response:
        clusters = [cluster_json(row) for row in queries.clusters(caller(request))]
        return Response({"clusters": clusters, "total": len(clusters)})

    @extend_schema(request=RegistrationSerializer, responses={201: ClusterShape})
    def post(self, request: Request) -> Response:
        access.require_platform_admin(caller(request))
        body = RegistrationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            cluster = registration.register(body.registration, by=caller(request))
        except RegistrationFailed as error:
            raise as_api_error(error) from error
        return Response(cluster_json(cluster), status=status.HTTP_201_CREATED)


class ClusterDetail(APIView):
    @extend_schema(responses=ClusterShape)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(cluster_json(access.get_or_404(caller(request), Cluster, pk)))

    @extend_schema(request=ChangeSerializer, responses=ClusterShape)
    def patch(self, request: Request, pk: UUID) -> Response:
        """All that the body names is changed, or nothing."""
        user = caller(request)
        cluster = access.get_or_404(user, Cluster, pk, Action.ADMIN)
        body = ChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if body.kubeconfig_text is not None:
            confirmation.require(request)
        try:
            return Response(cluster_json(_change(cluster, body, user)))
        except RegistrationFailed as error:
            raise as_api_error(error) from error

    @extend_schema(responses={200: MessageShape})
    def delete(self, request: Request, pk: UUID) -> Response:
        cluster = access.get_or_404(caller(request), Cluster, pk, Action.ADMIN)
        confirmation.require(request)
        registration.delete(cluster, by=caller(request))
        message = _("%(name)s is no longer registered; the cluster itself is untouched.")
        return Response({"message": message % {"name": cluster.name}})


def _change(cluster: Cluster, body: ChangeSerializer, by: User) -> Cluster:
    """Asks clusters first, then changes everything at once: no lock waits for a cluster."""
    look, names = None, body.custom_resources
    if body.kubeconfig_text is not None:
        look = editing.check_credentials(body.kubeconfig_text, body.context_name, by=by)
    added = [] if names is None else _wanted(cluster, names, by)
    with transaction.atomic():
        cluster = editing.change(cluster, body.changes, by=by)
        if look is not None:
            cluster = editing.replace_credentials(cluster, look, by=by)
        if names is not None:
            kinds.watch_only(cluster, names, added, by=by)
    return cluster


def _wanted(cluster: Cluster, names: list[str], by: User) -> list[CustomResourceFound]:
    field = "customResources"
    try:
        return kinds.wanted(cluster, names, by=by)
    except kinds.UnknownResource as error:
        raise ValidationError({field: [str(error)]}) from error
    except errors.KubeError as error:
        raise as_api_error(RegistrationFailed("", field, explain(error), error)) from error
    except vault.CannotOpen as error:
        raise BadGateway(_("The stored credentials of the cluster cannot be opened.")) from error


def as_api_error(failed: RegistrationFailed) -> APIException:
    """400 for what the caller must mend, 409 for what is there already, 502 and 504 for a cluster
    that fails or hangs.
    """
    match failed.cause:
        case (
            errors.Unauthorized() | errors.Forbidden() | errors.NotFound() | errors.AddressRefused()
        ):
            return ValidationError({failed.field: [str(failed)]})
        case errors.TimedOut():
            return GatewayTimeout(str(failed))
        case errors.KubeError():
            return BadGateway(str(failed))
        case _ if failed.field in {"name", "allow_duplicate"}:
            return Conflict(str(failed))
        case _:
            return ValidationError({failed.field: [str(failed)]})
