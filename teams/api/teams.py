"""`/api/v1/teams` and what lies under it."""

from collections.abc import Iterable
from typing import Any

from django.forms import BaseForm
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from teams import access, services
from teams.api import caller
from teams.forms import MemberForm, TeamForm
from teams.models import Membership, Team, User
from teams.roles import Action
from teams.serializers import ManagerSerializer, MemberSerializer, TeamSerializer, member_json
from teams.services import members


class TeamShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    members = serializers.IntegerField()
    grants = serializers.IntegerField()
    mayManage = serializers.BooleanField()  # noqa: N815 (its name)


class TeamsShape(serializers.Serializer[Any]):
    teams = TeamShape(many=True)
    total = serializers.IntegerField()


class MemberShape(serializers.Serializer[Any]):
    """Of `member_json`."""

    id = serializers.IntegerField(help_text="Of the person.")
    username = serializers.CharField()
    name = serializers.CharField()
    manager = serializers.BooleanField()
    active = serializers.BooleanField(help_text="Whether the person may sign in.")


class MembersShape(serializers.Serializer[Any]):
    members = MemberShape(many=True)
    total = serializers.IntegerField()


class SaidShape(serializers.Serializer[Any]):
    message = serializers.CharField()


class TeamList(APIView):
    @extend_schema(operation_id="teams_list", responses=TeamsShape)
    def get(self, request: Request) -> Response:
        """The caller's own teams; all of them for platform admins."""
        found = _teams_json(caller(request), access.visible(caller(request), Team))
        return Response({"teams": found, "total": len(found)})

    @extend_schema(request=TeamSerializer, responses={201: TeamShape})
    def post(self, request: Request) -> Response:
        access.require_platform_admin(caller(request))
        team = services.save_team(_named(request, Team()), by=caller(request))
        [answer] = _teams_json(caller(request), [team])
        return Response(answer, status=status.HTTP_201_CREATED)


class TeamDetail(APIView):
    @extend_schema(responses=TeamShape)
    def get(self, request: Request, pk: int) -> Response:
        team = access.get_or_404(caller(request), Team, pk)
        return Response(_teams_json(caller(request), [team])[0])

    @extend_schema(request=TeamSerializer, responses=TeamShape)
    def patch(self, request: Request, pk: int) -> Response:
        team = access.get_or_404(caller(request), Team, pk)
        access.require_platform_admin(caller(request))
        changed = services.save_team(_named(request, team), by=caller(request))
        return Response(_teams_json(caller(request), [changed])[0])

    @extend_schema(responses={200: SaidShape})
    def delete(self, request: Request, pk: int) -> Response:
        """Its members stay people of MCM; its grants and robots go with it."""
        team = access.get_or_404(caller(request), Team, pk)
        access.require_platform_admin(caller(request))
        services.delete_team(team, by=caller(request))
        return Response({"message": _("The team %(name)s is deleted.") % {"name": team.name}})


class MemberList(APIView):
    @extend_schema(operation_id="members_list", responses=MembersShape)
    def get(self, request: Request, pk: int) -> Response:
        team = access.get_or_404(caller(request), Team, pk)
        rows = team.membership_set.filter(user__robot_of=None).select_related("user")
        found = [member_json(row) for row in rows.order_by("user__username")]
        return Response({"members": found, "total": len(found)})

    @extend_schema(request=MemberSerializer, responses={201: MemberShape})
    def post(self, request: Request, pk: int) -> Response:
        """Who manages a team adds people; only platform admins make managers."""
        user = caller(request)
        team = access.get_or_404(user, Team, pk, Action.ADMIN)
        body = MemberSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if body.validated_data["manager"]:
            access.require_platform_admin(user)
        data = {**body.validated_data, "is_manager": body.validated_data["manager"]}
        form = MemberForm(data, team=team, may_promote=access.is_platform_admin(user))
        if not form.is_valid():
            raise _refused(form)
        made = services.save_membership(form.membership, by=user)
        return Response(member_json(made), status=status.HTTP_201_CREATED)


class MemberDetail(APIView):
    """`person` is the id of the user."""

    @extend_schema(request=ManagerSerializer, responses=MemberShape)
    def patch(self, request: Request, pk: int, person: int) -> Response:
        member = _member(request, pk, person)
        access.require_platform_admin(caller(request))
        body = ManagerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        member.is_manager = body.validated_data["manager"]
        return Response(member_json(services.save_membership(member, by=caller(request))))

    @extend_schema(responses={200: SaidShape})
    def delete(self, request: Request, pk: int, person: int) -> Response:
        """A manager does not remove other managers; everybody may leave."""
        member = _member(request, pk, person)
        members.require_removal(member, by=caller(request))
        services.delete_membership(member, by=caller(request))
        text = _("%(who)s is no longer in %(team)s.") % {"who": member.user, "team": member.team}
        return Response({"message": text})


def _member(request: Request, team: int, person: int) -> Membership:
    return members.member(caller(request), team=team, user=person)


def _named(request: Request, team: Team) -> Team:
    """The team with the name that the body gives, not yet stored."""
    body = TeamSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    form = TeamForm(body.validated_data, instance=team)
    if not form.is_valid():
        raise _refused(form)
    named: Team = form.save(commit=False)
    return named


def _refused(form: BaseForm) -> ValidationError:
    fields: Any = form.errors
    return ValidationError(fields)


def _teams_json(user: User, teams: Iterable[Team]) -> list[dict[str, Any]]:
    return [
        {
            "id": each.team.pk,
            "name": each.team.name,
            "members": each.members,
            "grants": each.grants,
            "mayManage": each.managed,
        }
        for each in members.listed(user, teams)
    ]
