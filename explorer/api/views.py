"""`/api/v1/views`: saved views, one's own and those of one's teams."""

from typing import Any

from django.core.exceptions import ValidationError as Refused
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from explorer import services, store
from explorer.filters.paths import address
from explorer.filters.saving import ViewForm
from explorer.filters.words import kind_named
from explorer.models import SavedView
from teams import access
from teams.api import caller
from teams.api.teams import SaidShape
from teams.models import Team, User
from teams.roles import Action


class ViewSerializer(serializers.Serializer[Any]):
    """What a view is made of; of one that is there, any part of it."""

    kind = serializers.CharField(required=False, help_text="`Pod`, `pods` or `po`.")
    name = serializers.CharField(required=False, max_length=100)
    query = serializers.CharField(
        required=False, allow_blank=True, help_text="As in the address of the list."
    )
    team = serializers.CharField(
        required=False, allow_null=True, help_text="The name of a team that one manages."
    )


class ViewShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    name = serializers.CharField()
    query = serializers.CharField()
    team = serializers.CharField(allow_null=True, help_text="null for one's own.")
    url = serializers.CharField(help_text="Where the page is.")
    mayChange = serializers.BooleanField()  # noqa: N815 (its name)


class ViewsShape(serializers.Serializer[Any]):
    views = ViewShape(many=True)
    total = serializers.IntegerField()


class AskedSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(required=False, help_text="Only views of this kind.")


class ViewList(APIView):
    @extend_schema(operation_id="views_list", parameters=[AskedSerializer], responses=ViewsShape)
    def get(self, request: Request) -> Response:
        user, word = caller(request), request.query_params.get("kind", "")
        kind = kind_named(word) if word else ""
        if kind is None:
            raise ValidationError({"kind": [_("There is no such kind.")]})
        found = store.views(user, kind)
        mine = set(access.visible(user, SavedView, Action.ADMIN).values_list("pk", flat=True))
        rows = [view_json(view, may_change=view.pk in mine) for view in found]
        return Response({"views": rows, "total": len(rows)})

    @extend_schema(request=ViewSerializer, responses={201: ViewShape})
    def post(self, request: Request) -> Response:
        """One's own; of a team for who manages it."""
        user = caller(request)
        access.require_token_for(user, Action.ADMIN)
        body = _body(request)
        data = {**body, "team": _team(user, body.get("team"))}
        made = _saved(ViewForm(data, user=user), user)
        return Response(view_json(made, may_change=True), status=status.HTTP_201_CREATED)


class ViewDetail(APIView):
    @extend_schema(responses=ViewShape)
    def get(self, request: Request, pk: int) -> Response:
        user = caller(request)
        view = access.get_or_404(user, SavedView, pk)
        return Response(view_json(view, may_change=access.may(user, Action.ADMIN, view)))

    @extend_schema(request=ViewSerializer, responses=ViewShape)
    def patch(self, request: Request, pk: int) -> Response:
        user = caller(request)
        view = access.get_or_404(user, SavedView, pk, Action.ADMIN)
        body = _body(request)
        if "team" in body:
            raise ValidationError({"team": [_("A view stays whose it is.")]})
        data = {"kind": view.kind, "name": view.name, "query": view.query, **body}
        changed = _saved(ViewForm(data, instance=view, user=user), user)
        return Response(view_json(changed, may_change=True))

    @extend_schema(responses={200: SaidShape})
    def delete(self, request: Request, pk: int) -> Response:
        view = access.get_or_404(caller(request), SavedView, pk, Action.ADMIN)
        services.delete_view(view, by=caller(request))
        return Response({"message": _("The view %(name)s is deleted.") % {"name": view.name}})


def _body(request: Request) -> dict[str, Any]:
    body = ViewSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _team(user: User, name: str | None) -> int | None:
    """The key of the team with this name. Raises ValidationError, and PermissionDenied for a team
    that one is in but does not manage.
    """
    if not name:
        return None
    team = access.visible(user, Team).filter(name=name).first()
    if team is None:
        raise ValidationError({"team": [_("There is no such team.")]})
    return access.get_or_404(user, Team, team.pk, Action.ADMIN).pk


def _saved(form: ViewForm, user: User) -> SavedView:
    if not form.is_valid():
        errors: Any = form.errors
        raise ValidationError(errors)
    try:
        return services.save_view(form.save(commit=False), by=user)
    except Refused as error:
        raise ValidationError({"name": error.messages}) from error


def view_json(view: SavedView, *, may_change: bool) -> dict[str, Any]:
    return {
        "id": view.pk,
        "kind": view.kind,
        "name": view.name,
        "query": view.query,
        "team": view.team.name if view.team else None,
        "url": address(view.kind, view.query),
        "mayChange": may_change,
    }
