"""`/api/v1/tokens` and `/api/v1/teams/{id}/tokens`."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.api.shapes import MessageShape, NewTokenShape, TokensShape
from clusters.serializers import RobotSerializer, TokenSerializer, token_json
from clusters.services.tokens import keys, shown
from teams import access, confirmation
from teams.api import caller
from teams.models import Team, Token, User
from teams.roles import Action
from teams.services import tokens


class TokenList(APIView):
    @extend_schema(operation_id="tokens_list", responses=TokensShape)
    def get(self, request: Request) -> Response:
        """The caller's own."""
        return _listed(caller(request), Token.objects.filter(user=caller(request)))

    @extend_schema(request=TokenSerializer, responses={201: NewTokenShape})
    def post(self, request: Request) -> Response:
        """Made by a token, it reaches no further and lasts no longer than that one."""
        user = caller(request)
        access.require_token_for(user, Action.ADMIN)
        confirmation.require(request)
        body = TokenSerializer(data=request.data)
        return _made(user, body, lambda wanted: tokens.make(user, wanted, by=user))


class TokenDetail(APIView):
    @extend_schema(responses={200: MessageShape})
    def delete(self, request: Request, pk: UUID) -> Response:
        """One's own, and those of the robots of teams that one manages; every token itself."""
        user = caller(request)
        itself = user.token is not None and user.token.pk == pk
        token = access.get_or_404(user, Token, pk, Action.VIEW if itself else Action.ADMIN)
        tokens.revoke(token, by=user)
        return Response({"message": _("The token %(name)s is revoked.") % {"name": token.name}})


class TeamTokens(APIView):
    @extend_schema(operation_id="team_tokens_list", responses=TokensShape)
    def get(self, request: Request, pk: int) -> Response:
        """Those of the team's robots, for who manages the team."""
        team = access.get_or_404(caller(request), Team, pk, Action.ADMIN)
        return _listed(caller(request), Token.objects.filter(user__robot_of=team))

    @extend_schema(request=RobotSerializer, responses={201: NewTokenShape})
    def post(self, request: Request, pk: int) -> Response:
        """Who uses it holds what the team was granted."""
        user = caller(request)
        team = access.get_or_404(user, Team, pk, Action.ADMIN)
        confirmation.require(request)
        body = RobotSerializer(data=request.data)
        return _made(user, body, lambda wanted: tokens.make_robot(team, wanted, by=user))


def _wanted(user: User, body: TokenSerializer) -> tokens.Wanted:
    body.is_valid(raise_exception=True)
    names = body.validated_data["clusters"]
    try:
        return body.wanted(None if names is None else keys(user, names))
    except LookupError as error:
        text = _("There is no cluster %(name)s.") % {"name": error.args[0]}
        raise ValidationError({"clusters": [text]}) from error


def _listed(user: User, rows: Any) -> Response:
    found = [token_json(each) for each in shown(user, rows)]
    return Response({"tokens": found, "total": len(found)})


def _made(
    user: User, body: TokenSerializer, make: Callable[[tokens.Wanted], tuple[Token, str]]
) -> Response:
    try:
        row, text = make(_wanted(user, body))
    except tokens.Refused as error:
        raise ValidationError({error.field: [str(error)]}) from error
    [each] = shown(user, [row])
    return Response({**token_json(each), "token": text}, status=status.HTTP_201_CREATED)
