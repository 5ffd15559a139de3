"""`/api/v1/objects/export.csv`."""

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from explorer.api.shapes import KNOWN, QuerySerializer, refuse_problems, refuse_unknown
from explorer.filters import columns, sortable, written
from explorer.filters.columns import COLUMNS, Column
from explorer.filters.criteria import ObjectFilter
from explorer.filters.inventory import Inventory
from teams.api import caller
from teams.throttles import Costly, Throttle

PAGED = frozenset({"cursor", "limit", "counts"})
# Of rows of several kinds.
ANY = ("kind", "name", "cluster", "namespace", "status", "ready", "restarts", "node", "age")


class FileSerializer(QuerySerializer):
    """The parameters, for the schema."""

    columns = serializers.CharField(
        required=False, help_text="Keys of columns with commas between, in their order."
    )
    cursor = limit = counts = None  # type: ignore[assignment]  # there are no pages


class Export(APIView):
    throttle_classes = (Throttle, Costly)
    costly = ("GET",)

    @extend_schema(
        summary="Objects of all clusters as a file",
        parameters=[FileSerializer],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """All that matches, up to 50,000 rows: where there are more, the last line says so."""
        query = request.query_params
        refuse_unknown(query, (KNOWN | {"columns"}) - PAGED)
        wanted = ObjectFilter.of(query)
        refuse_problems(wanted)
        inventory = Inventory(caller(request), wanted)
        sortable.settle(inventory, "name")
        refuse_problems(inventory.wanted)
        shown = _columns(query.get("columns", ""), wanted)
        heads = [column.key for column in shown]
        return written.answer(caller(request), wanted, shown, heads, "objects")


def _columns(text: str, wanted: ObjectFilter) -> list[Column]:
    """Those that are asked for, or else those of the one kind. Raises ValidationError."""
    if text:
        keys = list(dict.fromkeys(text.split(",")))
        for key in keys:
            if key not in COLUMNS:
                said: Any = _('"%(value)s" is unknown.') % {"value": key[:50]}
                raise ValidationError({"columns": [said]})
        return [COLUMNS[key] for key in keys]
    kinds = [value for term in wanted.asked("kind") for value in term.values]
    return columns.usual(kinds[0]) if len(kinds) == 1 else [COLUMNS[key] for key in ANY]
