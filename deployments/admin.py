"""Charts and releases for platform admins to look at."""

from django.contrib import admin

from deployments.models import Chart, Release, ReleaseList
from teams.admin import ReadOnlyAdmin


@admin.register(Chart)
class ChartAdmin(ReadOnlyAdmin):
    list_display = ("name", "version", "app_version", "size", "uploaded_by", "created")
    list_select_related = ("uploaded_by",)
    search_fields = ("name", "description")
    date_hierarchy = "created"
    exclude = ("archive", "values")


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    list_display = (
        "name", "cluster", "namespace", "revision", "status", "chart", "chart_version", "updated",
    )  # fmt: skip
    list_filter = ("status", "cluster")
    list_select_related = ("cluster",)
    search_fields = ("name", "chart", "namespace")
    date_hierarchy = "updated"


@admin.register(ReleaseList)
class ReleaseListAdmin(ReadOnlyAdmin):
    list_display = ("cluster", "observed_at", "error")
    list_select_related = ("cluster",)
    search_fields = ("cluster__name",)
