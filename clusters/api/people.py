"""`/api/v1/people/{id}` and `/api/v1/people/me`: what one person can do where, and why."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.api.shapes import PersonShape
from clusters.models import Cluster, Namespace
from clusters.serializers import why_json
from teams import access, store
from teams.api import caller
from teams.models import Grant, Team, User


class Person(APIView):
    @extend_schema(responses=PersonShape)
    def get(self, request: Request, pk: int) -> Response:
        """For oneself, and of everybody for platform admins."""
        user = caller(request)
        return Response(_person_json(access.person_or_404(user, pk), user))


class Me(APIView):
    @extend_schema(operation_id="people_me", responses=PersonShape)
    def get(self, request: Request) -> Response:
        """Who the caller is."""
        return Response(_person_json(caller(request), caller(request)))


def _person_json(person: User, reader: User) -> dict[str, Any]:
    teams = person.membership_set.filter(team__in=access.visible(reader, Team))
    return {
        "id": person.pk,
        "username": person.username,
        "name": person.get_full_name(),
        "active": person.is_active,
        "platformAdmin": person.is_platform_admin,
        "teams": [
            {"id": each.team_id, "name": each.team.name, "manager": each.is_manager}
            for each in teams.select_related("team").order_by("team__name")
        ],
        "holdings": _holdings(person, reader),
    }


def _holdings(person: User, reader: User) -> list[dict[str, Any]]:
    """As far as the reader sees the places: a token may be for some clusters only."""
    grants = Grant.objects.filter(team__members=person).select_related("team")
    scopes = store.scopes(grants)
    held = access.holdings(reader)
    seen = {
        store.place(scope)
        for model in (Cluster, Namespace)
        for scope in access.visible(held, model).filter(
            pk__in=[scope.pk for scope in scopes.values() if isinstance(scope, model)]
        )
    }
    rows = [each for each in store.holdings(grants) if each.user == person and each.place in seen]
    return sorted(
        (
            {
                "cluster": cluster.name,
                "clusterId": str(cluster.pk),
                "namespace": scope.name if isinstance(scope, Namespace) else "",
                "actions": row.actions,
                "grants": [why_json(grant) for grant in row.grants],
            }
            for row in rows
            for scope in [scopes[row.place]]
            for cluster in [scope.cluster if isinstance(scope, Namespace) else scope]
            if isinstance(cluster, Cluster)
        ),
        key=lambda each: (each["cluster"], each["namespace"]),
    )
