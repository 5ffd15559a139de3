from django.contrib import admin

from deployments.models import Chart, Release
from teams.admin import ReadOnlyAdmin


@admin.register(Chart)
class ChartAdmin(ReadOnlyAdmin):
    list_display = ("name", "version", "app_version", "size", "uploaded_by", "created")
    search_fields = ("name",)
    exclude = ("archive",)


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    list_display = ("name", "cluster", "namespace", "revision", "status", "chart", "chart_version")
    list_filter = ("cluster", "status")
    search_fields = ("name", "chart")
