"""What was done: the trail, and what Django itself notes of changes made in the admin."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from teams.admin.rows import ReadOnlyAdmin
from teams.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_name", "action", "object_type", "object_name")
    list_filter = ("action", "object_type")
    search_fields = ("actor_name", "object_name")
    date_hierarchy = "at"
    list_select_related = ("actor",)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag")
    list_filter = ("action_flag",)
    search_fields = ("object_repr", "user__username")
    date_hierarchy = "action_time"
    list_select_related = ("user", "content_type")
