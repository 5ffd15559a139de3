"""The history of work for platform admins. Inputs are sealed and stay so."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from operations import services
from operations.models import Former, LogLine, Operation, Step
from teams.admin import ReadOnlyAdmin, confirmed

_cancel = confirmed(
    "cancel",
    _("Cancel"),
    _("What waits ends at once, what runs as soon as its worker has stopped it:"),
    lambda operation, by: services.cancel(operation, by=by),
)


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ("created", "kind", "cluster", "namespace", "target", "status", "requested_by")
    list_filter = ("status", "kind", "cluster")
    list_select_related = ("cluster", "requested_by")
    search_fields = ("target", "namespace", "requested_by__username")
    date_hierarchy = "created"
    exclude = ("sealed_input",)
    actions = (_cancel,)


@admin.register(LogLine)
class LogLineAdmin(ReadOnlyAdmin):
    list_display = ("at", "operation", "text")
    list_select_related = ("operation__cluster",)
    search_fields = ("operation__target",)
    ordering = ("-id",)


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    list_display = ("operation", "cluster", "kind", "namespace", "name", "status")
    list_filter = ("status", "kind", "cluster")
    list_select_related = ("operation__cluster", "cluster")
    search_fields = ("name", "namespace")
    ordering = ("-id",)


@admin.register(Former)
class FormerAdmin(ReadOnlyAdmin):
    list_display = ("step",)
    list_select_related = ("step__cluster",)
    search_fields = ("step__name",)
    ordering = ("-step_id",)
    exclude = ("sealed",)
