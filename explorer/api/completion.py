"""`/api/v1/objects/complete`."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from explorer.api.shapes import refuse_unknown
from explorer.filters.candidates import Seen
from explorer.filters.completion import complete
from explorer.filters.typed import LONGEST
from explorer.filters.words import kind_named
from teams.api import caller

PARAMETERS = frozenset({"q", "at", "kind"})


class AskedSerializer(serializers.Serializer[Any]):
    """The parameters, for the schema."""

    q = serializers.CharField(default="", help_text="A typed query, which may be unfinished.")
    at = serializers.IntegerField(
        required=False, help_text="Before which character the cursor is, from 0; else the end."
    )
    kind = serializers.CharField(required=False, help_text="The only kind that is searched.")


class OptionSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    isField = serializers.BooleanField(  # noqa: N815 (its name)
        help_text="A value is to be typed after it."
    )


class CompletionSerializer(serializers.Serializer[Any]):
    start = serializers.IntegerField(help_text="From here an option takes the place of the text,")
    end = serializers.IntegerField(help_text="up to before this character, from 0.")
    options = OptionSerializer(many=True)
    complete = serializers.BooleanField(help_text="false where the time was over before the end.")


class Complete(APIView):
    @extend_schema(
        summary="How a typed query may go on",
        parameters=[AskedSerializer],
        responses=CompletionSerializer,
    )
    def get(self, request: Request) -> Response:
        """Fields, and values of what the caller may see, that begin as what is typed."""
        query = request.query_params
        refuse_unknown(query, PARAMETERS)
        q, at, kind = query.get("q", ""), query.get("at", ""), query.get("kind", "")
        if at and not (at.isascii() and at.isdecimal() and len(at) < 6):
            raise ValidationError(
                {"at": [_("Give a number from 0 to %(most)d.") % {"most": LONGEST}]}
            )
        named = kind_named(kind) if kind else ""
        if named is None:
            raise ValidationError({"kind": [_('"%(value)s" is unknown.') % {"value": kind[:50]}]})
        found = complete(Seen(caller(request), named), q, int(at) if at else len(q))
        return Response(
            {
                "start": found.start,
                "end": found.end,
                "options": [{"text": o.text, "isField": o.is_field} for o in found.options],
                "complete": found.complete,
            }
        )
