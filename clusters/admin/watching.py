"""Who watches and polls the clusters, and until when."""

from django.contrib import admin

from clusters.models import Lease, PollDue, Watcher
from teams.admin import ReadOnlyAdmin


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    list_display = ("cluster", "owner", "epoch", "expires")
    list_select_related = ("cluster",)
    search_fields = ("cluster__name", "owner")


@admin.register(Watcher)
class WatcherAdmin(ReadOnlyAdmin):
    list_display = ("owner", "expires")
    search_fields = ("owner",)


@admin.register(PollDue)
class PollDueAdmin(ReadOnlyAdmin):
    list_display = ("cluster", "due")
    list_select_related = ("cluster",)
    search_fields = ("cluster__name",)
