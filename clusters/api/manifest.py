"""`/api/v1/clusters/manifest`."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusters.kube import manifest
from clusters.services import kinds
from teams import access
from teams.api import caller


class Manifest(APIView):
    """The manifest of MCM's account as YAML; `features` is a comma-separated list.

    With `cluster` (an id) also the right to watch the custom resources that are turned on there.
    """

    @extend_schema(
        parameters=[
            OpenApiParameter("features", str),
            OpenApiParameter("cluster", OpenApiTypes.UUID),
        ],
        responses={(200, "text/yaml"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response | HttpResponse:
        access.require_platform_admin(caller(request))
        asked = request.query_params.get("features", "watch")
        features = [word.strip() for word in asked.split(",") if word.strip()]
        for unknown in sorted(set(features) - set(manifest.FEATURES)):
            message = _("%(name)s is none of %(all)s.")
            names = {"name": unknown[:40], "all": ", ".join(manifest.FEATURES)}
            raise ValidationError({"features": [message % names]})
        custom = kinds.turned_on(caller(request), request.query_params.get("cluster", ""))
        text = manifest.manifest(features, custom)
        return HttpResponse(text, content_type="text/yaml; charset=utf-8")
