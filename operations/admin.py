from django.contrib import admin

from operations.models import Operation
from teams.admin import ReadOnlyAdmin


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    """The history of work. Inputs are sealed and stay so."""

    list_display = ("created", "kind", "cluster", "namespace", "target", "status", "requested_by")
    list_filter = ("status", "kind", "cluster")
    search_fields = ("target", "namespace")
    exclude = ("sealed_input",)
