"""`/api/v1/objects/{id}/actions` and `/api/v1/actions`."""

import re
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.models import Cluster, Environment, Namespace, Object
from explorer.executor.catalog import ACTS, NAMES
from explorer.forms import form_of, usual
from explorer.services import acting
from operations.api import AcceptedShape, accepted, held_answer
from operations.models import Operation
from operations.services import Held, KeyReused
from teams import access, confirmation
from teams.api import caller
from teams.roles import Action
from teams.serializers import StrictSerializer

_KEY = re.compile(r"[\x21-\x7e]{1,64}\Z")
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Up to 64 visible characters. Asked again under the same key, the call answers the"
    " operation that was queued first and queues nothing.",
)


class ActSerializer(StrictSerializer):
    """The body of `POST /api/v1/objects/{id}/actions`."""

    action = serializers.ChoiceField(choices=NAMES)
    arguments = serializers.DictField(default=dict, help_text="As the action takes them.")
    resourceVersion = serializers.CharField(  # noqa: N815 (its name)
        default="",
        allow_blank=True,
        max_length=64,
        help_text="The version that the object must still have when its turn comes.",
    )


class ActsSerializer(StrictSerializer):
    """The body of `POST /api/v1/actions`."""

    action = serializers.ChoiceField(choices=NAMES)
    objects = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        min_length=1,
        max_length=acting.MOST_OBJECTS,
        help_text="Keys of objects, of any clusters.",
    )
    arguments = serializers.DictField(default=dict, help_text="The same for all.")


class ObjectActions(APIView):
    @extend_schema(
        summary="Act on one object",
        request=ActSerializer,
        parameters=[KEY],
        responses={202: AcceptedShape},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Queues the act. It is done to the object that has this key, to no other of its name."""
        found = access.get_or_404(caller(request), Object, pk)
        access.get_or_404(caller(request), Object, pk, Action.OPERATE)
        body = ActSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return _answer(request, body.validated_data, [found])


class Actions(APIView):
    @extend_schema(
        summary="Act on many objects",
        request=ActsSerializer,
        parameters=[KEY],
        responses={202: AcceptedShape},
    )
    def post(self, request: Request) -> Response:
        """Queues one operation with a step for each object; each has an end of its own."""
        access.require_anywhere(caller(request), Action.OPERATE, Cluster, Namespace)
        body = ActsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        keys = list(dict.fromkeys(body.validated_data["objects"]))
        rows = access.visible(caller(request), Object).select_related("cluster").in_bulk(keys)
        if gone := [key for key in keys if key not in rows]:
            text = _("There is no object %(key)s.")
            raise ValidationError({"objects": [text % {"key": key} for key in gone[:10]]})
        return _answer(request, body.validated_data, [rows[key] for key in keys])


def _answer(request: Request, body: dict[str, Any], objects: list[Object]) -> Response:
    act = ACTS[body["action"]]
    choices = acting.choices(caller(request), act, objects)
    if unfit := [choice.reason for choice in choices if not choice.fits]:
        raise ValidationError({"action": list(dict.fromkeys(unfit))})
    arguments = _arguments(act.name, body["arguments"])
    if act.grave and any(each.cluster.environment == Environment.PROD for each in objects):
        confirmation.require(request)
    wanted = acting.Wanted(
        act,
        choices,
        [arguments] * len(choices),
        key_of(request),
        [body.get("resourceVersion", "")] * len(choices),
    )
    return queued(lambda: acting.request(wanted, by=caller(request)))


def queued(request: Callable[[], Operation]) -> Response:
    """202 for what a request queued; 409 where another works on the same, and for a key that was
    used for another request.
    """
    try:
        return accepted(request())
    except Held as held:
        return held_answer(held)
    except KeyReused:
        text = _("This key was used for another request.")
        refused = {"error": text, "fields": {"Idempotency-Key": [text]}}
        return Response(refused, status=status.HTTP_409_CONFLICT)


def _arguments(act: str, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments, checked as the dialog checks them."""
    form_type = form_of(act)
    if unknown := sorted(set(given) - set(form_type.base_fields)):
        text = _("There is no such argument.")
        raise ValidationError({f"arguments.{name}": [text] for name in unknown})
    form = form_type({**usual(act), **given})
    if not form.is_valid():
        raise ValidationError(
            {f"arguments.{name}": list(map(str, texts)) for name, texts in form.errors.items()}
        )
    return form.given


def key_of(request: Request) -> str:
    """The Idempotency-Key, "" for none."""
    key = request.headers.get("Idempotency-Key", "")
    if key and not _KEY.match(key):
        raise ValidationError({"Idempotency-Key": [_("Give 1 to 64 visible ASCII characters.")]})
    return key
