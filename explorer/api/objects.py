"""`/api/v1/objects`."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from explorer.api.shapes import (
    ObjectsSerializer,
    QuerySerializer,
    counted,
    limit,
    object_json,
    refuse_problems,
    refuse_unknown,
)
from explorer.filters import counts, paging, sortable
from explorer.filters.criteria import ObjectFilter
from explorer.filters.cursors import BadCursor
from explorer.filters.inventory import Inventory
from teams.api import caller


class ObjectList(APIView):
    @extend_schema(
        summary="Objects of all clusters",
        parameters=[QuerySerializer],
        responses=ObjectsSerializer,
    )
    def get(self, request: Request) -> Response:
        """What the caller may see of every cluster: filtered, sorted, counted, page by page."""
        query = request.query_params
        refuse_unknown(query)
        size, with_counts = limit(query), counted(query)
        wanted = ObjectFilter.of(query)
        refuse_problems(wanted)
        inventory = Inventory(caller(request), wanted)
        found = counts.count(inventory) if with_counts else None
        sortable.settle(inventory, "name", found)
        refuse_problems(inventory.wanted)
        try:
            page = paging.page(inventory, size, found)
        except BadCursor as error:
            raise ValidationError({"cursor": [_("This is no cursor of this order.")]}) from error
        return Response(
            {
                "objects": [object_json(seen) for seen in inventory.rows(page.keys)],
                "total": found.total if found else None,
                "totalIsExact": found.exact if found else False,
                "next": page.next,
                "facets": found.facets if found else {},
            }
        )
