"""Every address of MCM. `tests/test_permissions.py` walks them with every role."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

from mcm import health, openapi
from teams import views

handler500 = "teams.views.failed"

# What browsers ask for by themselves where a page, or an answer of the API, names no icon.
icon = login_not_required(RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg"))

urlpatterns = [
    path("favicon.ico", icon, name="icon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("logout/", views.logout, name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("api/v1/schema", openapi.Schema.as_view(), name="api-schema"),
    path("api/v1/docs/", openapi.Docs.as_view(), name="api-docs"),
    path("", include("monitoring_app.urls")),
    path("", include("teams.urls")),
    path("", include("clusters.urls")),
    path("", include("explorer.urls")),
    path("", include("kubectl.urls")),
    path("", include("operations.urls")),
    path("", include("deployments.urls")),
]
