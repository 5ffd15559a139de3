"""Clusters and namespaces for platform admins: look at them, and grant teams roles on them."""

from typing import Any

from django.contrib import admin
from django.contrib.contenttypes.admin import GenericTabularInline
from django.forms import ModelForm
from django.http import HttpRequest

from clusters.models import Cluster, KindState, Lease, Namespace
from teams import services as teams
from teams.admin import ReadOnlyAdmin, acting
from teams.models import Grant


class GrantInline(GenericTabularInline):
    """Which teams have which role here."""

    model = Grant
    ct_field = "scope_type"
    ct_fk_field = "scope_id"
    extra = 1
    fields = ("team", "role")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a grant is taken back and given anew, so that the trail tells both


class ScopeAdmin(ReadOnlyAdmin):
    """A scope is registered on the pages; here only its grants change."""

    inlines = (GrantInline,)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing of the scope itself is edited here."""

    def save_formset(
        self, request: HttpRequest, form: ModelForm, formset: Any, change: bool
    ) -> None:
        formset.save(commit=False)
        for row in formset.deleted_objects:
            teams.revoke(row, by=acting(request))
        for row in formset.new_objects:
            teams.grant(row.team, row.role, form.instance, by=acting(request))


@admin.register(Cluster)
class ClusterAdmin(ScopeAdmin):
    list_display = (
        "name",
        "environment",
        "region",
        "version",
        "node_count",
        "status",
        "observed_at",
    )
    list_filter = ("environment", "status")
    search_fields = ("name", "region")
    readonly_fields = fields = (
        "name",
        "environment",
        "region",
        "server",
        "version",
        "node_count",
        "status",
        "status_reason",
    )


@admin.register(Namespace)
class NamespaceAdmin(ScopeAdmin):
    list_display = ("name", "cluster")
    list_filter = ("cluster",)
    search_fields = ("name",)
    readonly_fields = fields = ("cluster", "name")


@admin.register(KindState)
class KindStateAdmin(ReadOnlyAdmin):
    list_display = ("cluster", "kind", "state", "reason", "observed_at")
    list_filter = ("state", "kind", "cluster")


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    list_display = ("cluster", "owner", "epoch", "expires")
