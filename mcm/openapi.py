"""The OpenAPI schema of the REST API and its page."""

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.utils.decorators import method_decorator
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

ERROR = {
    "type": "object",
    "required": ["error", "fields"],
    "properties": {
        "error": {"type": "string", "description": "What went wrong, in a sentence."},
        "fields": {
            "type": "object",
            "description": "What is wrong with each field of the input.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "operation": {
            "type": "object",
            "description": "With 409: the operation that holds the target.",
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "status": {"type": "string"},
            },
        },
    },
}


class BearerToken(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer TOKEN`, by knox."""

    target_class = "teams.tokens.TokenAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        return {"type": "http", "scheme": "bearer", "description": "A token of `create_token`."}


def errors(result: dict[str, Any], **_known: Any) -> dict[str, Any]:
    """Every call may answer an error, and every error has the same shape."""
    result["components"]["schemas"]["Error"] = ERROR
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for methods in result["paths"].values():
        for operation in methods.values():
            operation["responses"]["default"] = {
                "description": "Every 4xx and 5xx.",
                "content": body,
            }
    return result


class _ErrorsInJson(APIView):
    """Errors as of all calls, not in the format of the schema or its page."""

    def handle_exception(self, exc: Exception) -> Response:
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return super().handle_exception(exc)


class Schema(_ErrorsInJson, SpectacularAPIView):
    """The schema as YAML or, with `?format=json`, as JSON."""


# The page's bundle writes styles of its own into the document; its scripts come from our host.
@method_decorator(csp_replace({"style-src": [SELF, UNSAFE_INLINE]}), name="dispatch")
class Docs(_ErrorsInJson, SpectacularSwaggerSplitView):
    """The schema to read and to try."""

    url_name = "api-schema"
