"""What was done: the trail, and what Django itself notes of changes made in the admin."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from teams.admin.rows import ReadOnlyAdmin
from teams.models import AuditAnchor, AuditEvent, AuditForward, DeniedTry, TranscriptPiece


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = (
        "at", "actor_name", "token", "via", "address", "action", "result", "object_type",
        "object_name", "cluster", "namespace", "count",
    )  # fmt: skip
    list_filter = ("result", "action", "object_type")
    search_fields = ("actor_name", "object_name", "cluster", "request_id")
    date_hierarchy = "at"


@admin.register(TranscriptPiece)
class TranscriptPieceAdmin(ReadOnlyAdmin):
    """Which parts of transcripts are there; they are read at their line of the trail, and told."""

    list_display = ("event", "number", "at")
    list_select_related = ("event",)
    exclude = ("sealed",)
    search_fields = ("event__actor_name", "event__object_name")


@admin.register(AuditAnchor)
class AuditAnchorAdmin(ReadOnlyAdmin):
    """The signed ends of the trail's chain, as `manage.py verify_audit` compares them."""

    list_display = ("kind", "seq", "hash", "at")
    exclude = ("mac",)
    search_fields = ("kind", "hash")


@admin.register(AuditForward)
class AuditForwardAdmin(ReadOnlyAdmin):
    """How far the copies of the trail have come."""

    list_display = ("target", "seq", "sent_at", "failures", "next_try", "error")
    search_fields = ("target", "error")


@admin.register(DeniedTry)
class DeniedTryAdmin(ReadOnlyAdmin):
    """Refusals that are still counted; the trail tells them once their minute is over."""

    list_display = ("event", "again", "until")
    list_select_related = ("event",)
    search_fields = ("event__actor_name", "event__object_name")
    ordering = ("-until",)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag")
    list_filter = ("action_flag",)
    search_fields = ("object_repr", "user__username")
    date_hierarchy = "action_time"
    list_select_related = ("user", "content_type")
