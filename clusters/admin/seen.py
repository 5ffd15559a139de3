"""What was seen of the clusters: the watchers write it, here it is looked at. Some are millions.

Samples of use have no lists: their tables have keys of several columns, which Django's admin cannot
name; the pages of a cluster draw them.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from clusters.models import Capacity, Image, KindState, Object, Tally
from teams.admin import ReadOnlyAdmin


class KindFilter(admin.SimpleListFilter):
    """The kinds that are watched; asking the rows themselves would read all of them."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        kinds = KindState.objects.order_by("kind").values_list("kind", flat=True).distinct()
        return [(kind, kind) for kind in kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class HealthFilter(admin.SimpleListFilter):
    title = _("health")
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(word, word) for word in ("healthy", "progressing", "degraded", "failing", "idle")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(health=self.value()) if self.value() else queryset


@admin.register(Object)
class ObjectAdmin(ReadOnlyAdmin):
    list_display = (
        "name", "kind", "namespace", "cluster", "status", "health", "node", "restarts", "created",
        "observed_at",
    )  # fmt: skip
    list_filter = (KindFilter, HealthFilter, "cluster")
    list_select_related = ("cluster",)
    search_fields = ("name",)
    # As an index has it; by other columns all rows of a kind would be sorted.
    ordering = ("kind", "name", "id")
    sortable_by = ()


@admin.register(Tally)
class TallyAdmin(ReadOnlyAdmin):
    list_display = ("cluster", "kind", "namespace", "status", "health", "n")
    list_filter = (KindFilter, "cluster")
    list_select_related = ("cluster",)
    search_fields = ("namespace",)
    ordering = ("kind", "cluster", "namespace", "id")
    sortable_by = ()


@admin.register(KindState)
class KindStateAdmin(ReadOnlyAdmin):
    list_display = ("cluster", "kind", "state", "reason", "observed_at")
    list_filter = ("state", KindFilter, "cluster")
    list_select_related = ("cluster",)
    search_fields = ("kind", "cluster__name")


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin):
    list_display = ("name",)
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(Capacity)
class CapacityAdmin(ReadOnlyAdmin):
    list_display = (
        "cluster", "cpu_used", "cpu_requested", "cpu_allocatable", "memory_used",
        "memory_requested", "memory_allocatable", "pods", "sampled_at",
    )  # fmt: skip
    list_select_related = ("cluster",)
    search_fields = ("cluster__name",)
