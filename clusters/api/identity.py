"""`/api/v1/clusters/{id}/identity`: as whom people act there, and whether it knows them."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters import vault
from clusters.api.registry import as_api_error
from clusters.kube.errors import KubeError
from clusters.models import Cluster, IdentityMode, IdentityState
from clusters.services import identity
from clusters.services.checks import RegistrationFailed, explain
from clusters.store import identity as store
from teams import access
from teams.api import BadGateway, caller
from teams.roles import Action
from teams.serializers import StrictSerializer
from teams.throttles import Costly, Throttle


class IdentitySerializer(StrictSerializer):
    """The body of `PATCH`: what is not named stays."""

    mode = serializers.ChoiceField(choices=IdentityMode.choices, required=False)
    bindsPlatformAdmins = serializers.BooleanField(required=False)  # noqa: N815 (its name)


class FindingShape(serializers.Serializer[Any]):
    what = serializers.ChoiceField(choices=["impersonate", "absent", "differs", "left", "refused"])
    kind = serializers.CharField()
    name = serializers.CharField(help_text="Empty: anybody.")
    namespace = serializers.CharField()


class IdentityShape(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(choices=IdentityMode.choices)
    bindsPlatformAdmins = serializers.BooleanField()  # noqa: N815 (its name)
    state = serializers.ChoiceField(choices=IdentityState.choices)
    changedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)
    checkedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)
    account = serializers.CharField(help_text="As whom the cluster knows MCM.")
    users = serializers.ListField(child=serializers.CharField())
    groups = serializers.ListField(child=serializers.CharField())
    missing = FindingShape(many=True)
    excess = FindingShape(many=True)
    complete = serializers.BooleanField()


class Identity(APIView):
    @extend_schema(responses=IdentityShape)
    def get(self, request: Request, pk: UUID) -> Response:
        cluster = access.get_or_404(caller(request), Cluster, pk, Action.ADMIN)
        return Response(identity_json(cluster))

    @extend_schema(request=IdentitySerializer, responses=IdentityShape)
    def patch(self, request: Request, pk: UUID) -> Response:
        cluster = access.get_or_404(caller(request), Cluster, pk, Action.ADMIN)
        body = IdentitySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        changed = identity.choose(
            cluster,
            mode=IdentityMode(given["mode"]) if "mode" in given else None,
            binds_platform_admins=given.get("bindsPlatformAdmins"),
            by=caller(request),
        )
        return Response(identity_json(changed))


class IdentityManifest(APIView):
    """The RBAC by which the cluster knows the people who may act there, as YAML to apply."""

    @extend_schema(responses={(200, "text/yaml"): OpenApiTypes.STR})
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        cluster = access.get_or_404(caller(request), Cluster, pk, Action.ADMIN)
        return HttpResponse(store.manifest(cluster), content_type="text/yaml; charset=utf-8")


class IdentityCheck(APIView):
    """Asks the cluster whether it knows them, and tells what is missing and what is too much."""

    throttle_classes = (Throttle, Costly)
    costly = ("POST",)

    @extend_schema(request=None, responses=IdentityShape)
    def post(self, request: Request, pk: UUID) -> Response:
        cluster = access.get_or_404(caller(request), Cluster, pk, Action.ADMIN)
        try:
            identity.check(cluster, by=caller(request))
        except KubeError as error:
            raise as_api_error(RegistrationFailed("", "", explain(error), error)) from error
        except vault.CannotOpen as error:
            message = _("The stored credentials of the cluster cannot be opened.")
            raise BadGateway(message) from error
        cluster.refresh_from_db()
        return Response(identity_json(cluster))


def identity_json(cluster: Cluster) -> dict[str, Any]:
    """The last check beside the people of now."""
    people, report = store.roster(cluster), cluster.identity_report
    since = cluster.identity_changed_at
    return {
        "mode": cluster.identity_mode,
        "bindsPlatformAdmins": cluster.binds_platform_admins,
        "state": store.state(cluster, people),
        "changedAt": since.isoformat() if since else None,
        "checkedAt": report.get("at"),
        "account": report.get("account", ""),
        "users": people.users,
        "groups": people.groups,
        "missing": report.get("missing", []),
        "excess": report.get("excess", []),
        "complete": report.get("complete", False),
    }
