"""`/api/v1/audit`: the trail, for who administers the places where something was done."""

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from teams import access, audit, vault
from teams.api import Conflict, caller
from teams.audit import transcripts, written
from teams.audit.forwarding import line
from teams.audit.outcomes import outcomes
from teams.filters import PARAMETERS, AuditFilter
from teams.models import AuditEvent
from teams.throttles import Costly, Throttle
from teams.trail import Named, Result

MOST = 500
DEFAULT = 100


class AuditQueryShape(serializers.Serializer[Any]):
    """The parameters, for the schema. A text that ends with `*` stands for any rest."""

    who = serializers.CharField(required=False)
    action = serializers.CharField(
        required=False, help_text="Such as `cluster.change` or `grant.*`."
    )
    object = serializers.CharField(required=False, help_text="Its name.")
    type = serializers.CharField(required=False, help_text="Such as `clusters.cluster`.")
    id = serializers.CharField(required=False, help_text="Of the object.")
    cluster = serializers.CharField(required=False, help_text="Its name.")
    namespace = serializers.CharField(required=False)
    token = serializers.CharField(required=False)
    address = serializers.CharField(required=False)
    request = serializers.CharField(required=False)
    result = serializers.ChoiceField(choices=Result.choices, required=False)
    since = serializers.CharField(required=False, help_text="A day, or a day and time.")
    until = serializers.CharField(required=False, help_text="A day, or a day and time.")
    q = serializers.CharField(required=False, help_text="A text in any of the names.")


class AuditListShape(AuditQueryShape):
    cursor = serializers.CharField(required=False, help_text="The `next` of the page before.")
    limit = serializers.IntegerField(default=DEFAULT, min_value=1, max_value=MOST)


class AuditEventShape(serializers.Serializer[Any]):
    """Of `forwarding.line`, for the schema."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        found: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            name: serializers.CharField(allow_null=name == "address")
            for name in line(AuditEvent(at=timezone.now()))
            if name not in {"id", "seq", "count", "detail", "before", "after"}
        }
        numbers = {name: serializers.IntegerField() for name in ("id", "count")}
        bodies = {name: serializers.JSONField(allow_null=True) for name in ("before", "after")}
        seq = serializers.IntegerField(allow_null=True, help_text="null until it is sealed.")
        result = serializers.ChoiceField(choices=Result.choices)
        extra: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            "seq": seq,
            "result": result,
            "outcome": serializers.IntegerField(
                required=False,
                allow_null=True,
                help_text="Of a `begun` one: the id of the line that tells how it ended.",
            ),
            "detail": serializers.JSONField(),
        }
        return {**found, **numbers, **bodies, **extra}


class AuditEventsShape(serializers.Serializer[Any]):
    events = AuditEventShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")


class AuditList(APIView):
    @extend_schema(
        operation_id="audit_list",
        summary="The audit trail",
        parameters=[AuditListShape],
        responses=AuditEventsShape,
    )
    def get(self, request: Request) -> Response:
        """What the caller may read, newest first, page by page."""
        wanted = _asked(request, {"cursor", "limit"})
        rows, following = wanted.page(caller(request), _limit(request))
        return Response({"events": _told(rows), "next": following})


class AuditDetail(APIView):
    @extend_schema(responses=AuditEventShape)
    def get(self, request: Request, pk: int) -> Response:
        access.require_trail(caller(request))
        return Response(_told([access.get_or_404(caller(request), AuditEvent, pk)])[0])


class AuditTranscript(APIView):
    @extend_schema(
        summary="What a shell showed",
        responses={(200, written.CAST): OpenApiTypes.STR},
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        """An asciicast v2, by the line of the shell's begin or end, as far as it is stored; that it
        was read stands in the trail. 404 where nothing is kept.
        """
        user = caller(request)
        access.require_trail(user)
        event = transcripts.begin(access.get_or_404(user, AuditEvent, pk))
        if event is None:
            raise Http404
        begun = access.get_or_404(user, AuditEvent, event)
        try:
            plain = transcripts.opened(begun, by=user)
        except vault.CannotOpen as error:
            raise Conflict(_(str(error))) from error
        return written.cast(plain, begun)


class AuditExport(APIView):
    throttle_classes = (Throttle, Costly)
    costly = ("GET",)
    form = "csv"

    @extend_schema(
        summary="The audit trail as a file",
        parameters=[AuditQueryShape],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """All that matches, written while it is read; that it was taken stands in the trail."""
        wanted = _asked(request, set())
        user, form = caller(request), self.form
        audit.record(user, "audit.export", Named("audit", form, form), asked=wanted.given)
        return written.answer(wanted.rows(user), form)


def _told(rows: list[AuditEvent]) -> list[dict[str, Any]]:
    """The lines; those of a begin say which line tells their outcome."""
    ends = outcomes(rows)
    return [line(row) | ({"outcome": ends[row.pk]} if row.pk in ends else {}) for row in rows]


def _asked(request: Request, others: set[str]) -> AuditFilter:
    """Raises PermissionDenied, and ValidationError for what cannot be read."""
    access.require_trail(caller(request))
    unknown = sorted(set(request.query_params) - {*PARAMETERS, *others})
    if unknown:
        raise ValidationError({name: [_("There is no such parameter.")] for name in unknown})
    wanted = AuditFilter.of(request.query_params)
    if wanted.problems:
        raise ValidationError(wanted.problems)
    return wanted


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT))
    if not (text.isdecimal() and text.isascii() and len(text) < 4 and 1 <= int(text) <= MOST):
        raise ValidationError({"limit": [_("Give a number from 1 to %(most)d.") % {"most": MOST}]})
    return int(text)
