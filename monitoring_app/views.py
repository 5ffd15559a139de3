"""Our own figures, in Prometheus' text format."""

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from django_prometheus.exports import ExportToDjangoView


@login_not_required
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, which signs in with MCM_METRICS_TOKEN where that is set."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if token and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return HttpResponse("send MCM_METRICS_TOKEN as a bearer token\n", status=401)
    answer: HttpResponse = ExportToDjangoView(request)
    return answer
