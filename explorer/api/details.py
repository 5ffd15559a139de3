"""`/api/v1/objects/{id}` and what is known and read of one object."""

from typing import Any

from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.exceptions import PermissionDenied as Refused
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.kube import errors
from clusters.models import Object
from clusters.services import looking
from clusters.store import family
from explorer import store
from explorer.api import detail_json as told
from explorer.api import detail_shapes as shapes
from explorer.api.shapes import ObjectSerializer, object_json
from teams import access, confirmation
from teams.api import BadGateway, GatewayTimeout, Gone, caller
from teams.roles import Action
from teams.throttles import Costly, Throttle


def refused(error: BaseException) -> APIException:
    """What a call gets for what could not be read: 403 and 410 are the cluster's own answers."""
    failure = looking.failure(error)
    if isinstance(error, errors.Forbidden | PermissionDenied):
        return Refused(failure.text)
    if isinstance(error, errors.NotFound):
        return Gone(failure.text)
    if isinstance(error, errors.TimedOut):
        return GatewayTimeout(failure.text)
    return BadGateway(failure.text)


class ObjectDetail(APIView):
    @extend_schema(operation_id="object", summary="One object", responses=ObjectSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """As it was seen last."""
        found = access.get_or_404(caller(request), Object, pk)
        return Response(object_json(store.seen([found], {found.cluster_id: found.cluster})[0]))


class ObjectEvents(APIView):
    @extend_schema(summary="Events of an object", responses=shapes.EventsShape)
    def get(self, request: Request, pk: int) -> Response:
        """Those of the object and of what it owns, the newest first, at most 100."""
        user = caller(request)
        found = access.get_or_404(user, Object, pk)
        rows = family.events(user, found, family.below(user, found).rows)
        return Response({"events": [told.event_json(row) for row in rows]})


class _Live(APIView):
    """Asks the cluster, as the person."""

    throttle_classes = (Throttle, Costly)
    costly = ("GET", "POST")


class ObjectWhy(_Live):
    @extend_schema(summary="Why an object is not well", responses=shapes.ObjectWhyShape)
    def get(self, request: Request, pk: int) -> Response:
        """The causes, the most telling first, with what says so; and how the object stands now."""
        user = caller(request)
        found = access.get_or_404(user, Object, pk)
        try:
            looked = looking.look(user, found)
        except looking.FAILURES as error:
            raise refused(error) from error
        change = family.change(user, found)
        return Response(told.why_json(looked) | {"change": told.change_json(change)})


class ObjectYaml(_Live):
    @extend_schema(summary="An object as YAML", responses=shapes.YamlShape)
    def get(self, request: Request, pk: int) -> Response:
        """As it stands in the cluster now; values of Secrets are hidden."""
        user = caller(request)
        try:
            written = looking.written(user, access.get_or_404(user, Object, pk))
        except looking.FAILURES as error:
            raise refused(error) from error
        return Response(told.yaml_json(written))


class ObjectRelated(_Live):
    @extend_schema(summary="What stands around an object", responses=shapes.RelatedShape)
    def get(self, request: Request, pk: int) -> Response:
        """Owners, what it owns, names and is named by; `problem` tells when the cluster could not
        be asked and only stored rows are told of.
        """
        user = caller(request)
        found = access.get_or_404(user, Object, pk)
        return Response(told.related_json(looking.related(user, found), user, found))


class ObjectReveal(_Live):
    @extend_schema(summary="The values of a Secret", request=None, responses=shapes.RevealedShape)
    def post(self, request: Request, pk: int) -> Response:
        """For who administers its place; each look is in the audit trail."""
        user = caller(request)
        found = access.get_or_404(user, Object, pk, Action.ADMIN)
        looking.require_secret(found)
        confirmation.require(request)
        try:
            values = looking.reveal(user, found)
        except looking.FAILURES as error:
            raise refused(error) from error
        answer: dict[str, Any] = {"values": [told.value_json(value) for value in values]}
        return Response(answer, headers={"Cache-Control": "no-store"})
