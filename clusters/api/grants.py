"""`/api/v1/clusters/{id}/grants`, `/api/v1/clusters/{id}/people` and `/api/v1/grants`."""

from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.api.shapes import (
    ClusterPeopleShape,
    EffectsShape,
    GrantShape,
    GrantsShape,
    MessageShape,
)
from clusters.models import Cluster, Namespace
from clusters.serializers import GrantSerializer, effect_json, grant_json, row_json
from clusters.services import grants
from clusters.services.grants import Scope
from teams import access, services
from teams.api import caller
from teams.models import Grant, Team, User


class ClusterGrants(APIView):
    @extend_schema(
        operation_id="cluster_grants_list",
        parameters=[
            OpenApiParameter("namespace", str, description="Those on this namespace itself.")
        ],
        responses=GrantsShape,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """All grants where the caller administers, elsewhere those of the caller's own teams."""
        cluster = access.get_or_404(caller(request), Cluster, pk)
        namespace = request.query_params.get("namespace")
        found = [
            grant_json(row, scope)
            for row, scope in grants.grants(caller(request), cluster)
            if namespace is None or (isinstance(scope, Namespace) and scope.name == namespace)
        ]
        return Response({"grants": found, "total": len(found)})

    @extend_schema(request=GrantSerializer, responses={200: GrantShape, 201: GrantShape})
    def post(self, request: Request, pk: UUID) -> Response:
        """201 for a new grant, 200 for one that is there, whose end is now this one."""
        body, team, scope = _wanted(request, pk)
        role = body.chosen
        is_new = not Grant.on(scope).filter(team=team, role=role).exists()
        row = services.grant(team, role, scope, ends=body.end, by=caller(request))
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(grant_json(row, scope), status=code)


class GrantPreview(APIView):
    @extend_schema(request=GrantSerializer, responses=EffectsShape)
    def post(self, request: Request, pk: UUID) -> Response:
        """What the grant would change for each member of the team; nothing is changed."""
        body, team, scope = _wanted(request, pk)
        found = grants.effects_of_granting(team, body.chosen, scope)
        return Response({"effects": [effect_json(effect) for effect in found]})


class GrantDetail(APIView):
    @extend_schema(responses={200: MessageShape})
    def delete(self, request: Request, pk: int) -> Response:
        row, _scope = grants.revocable(caller(request), pk)
        said = _("%(grant)s is revoked.") % {"grant": row}
        services.revoke(row, by=caller(request))
        return Response({"message": said})


class GrantEffects(APIView):
    @extend_schema(responses=EffectsShape)
    def get(self, request: Request, pk: int) -> Response:
        """What revoking the grant would change for each member of the team."""
        found = grants.effects_of_revoking(*grants.revocable(caller(request), pk))
        return Response({"effects": [effect_json(effect) for effect in found]})


class ClusterPeople(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("q", str, description="Person, team, role or namespace.")],
        responses=ClusterPeopleShape,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Who can do what in the cluster, and by which grants."""
        user = caller(request)
        cluster = access.get_or_404(user, Cluster, pk)
        rows = grants.people(user, cluster, request.query_params.get("q", "").strip().lower())
        sees_all = cluster in grants.administered(user, cluster)
        admins = User.objects.filter(is_superuser=True, is_active=True).order_by("username")
        return Response(
            {
                "people": [row_json(row) for row in rows],
                "total": len(rows),
                "platformAdmins": [each.username for each in admins] if sees_all else [],
            }
        )


def _wanted(request: Request, pk: UUID) -> tuple[GrantSerializer, Team, Scope]:
    """The checked body, for whom and on what."""
    user = caller(request)
    cluster = access.get_or_404(user, Cluster, pk)
    scopes = {_namespace(scope): scope for scope in grants.grantable(user, cluster)}
    body = GrantSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    team = Team.objects.filter(name=body.validated_data["team"]).first()
    if team is None:
        raise ValidationError({"team": [_("There is no such team.")]})
    scope = scopes.get(body.validated_data["namespace"])
    if scope is None:
        text = _("There is no such namespace in which you may grant roles.")
        if not body.validated_data["namespace"]:
            text = _("You may grant roles in namespaces of this cluster only: name one.")
        raise ValidationError({"namespace": [text]})
    return body, team, scope


def _namespace(scope: Scope) -> str:
    return scope.name if isinstance(scope, Namespace) else ""
