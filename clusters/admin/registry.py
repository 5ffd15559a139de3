"""Clusters and namespaces for platform admins: look at them, poll them, grant roles on them."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import GenericTabularInline

from clusters.models import Cluster, CustomResource, Namespace
from clusters.services import polling
from teams import services as teams
from teams.admin import ReadOnlyAdmin, acting, confirmed
from teams.models import Grant

_poll = confirmed(
    "poll",
    _("Poll now"),
    _("These clusters are asked now for their health, version, nodes and use:"),
    lambda cluster, by: polling.poll_now(cluster, by=by),
)


class GrantInline(GenericTabularInline):  # type: ignore[misc]  # untyped
    """Which teams have which role here."""

    model = Grant
    ct_field = "scope_type"
    ct_fk_field = "scope_id"
    extra = 0
    fields = ("team", "role", "ends")
    autocomplete_fields = ("team",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a grant is taken back and given anew, so that the trail tells both


class ScopeAdmin(ReadOnlyAdmin):
    """A scope is registered on the pages; here only its grants change."""

    inlines = (GrantInline,)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        """Nothing of the scope itself is edited here."""

    def save_formset(
        self, request: HttpRequest, form: ModelForm, formset: Any, change: bool
    ) -> None:
        formset.save(commit=False)
        for row in formset.deleted_objects:
            teams.revoke(row, by=acting(request))
        for row in formset.new_objects:
            teams.grant(row.team, row.role, form.instance, by=acting(request), ends=row.ends)


@admin.register(Cluster)
class ClusterAdmin(ScopeAdmin):
    list_display = (
        "name", "environment", "region", "version", "node_count", "status", "observed_at",
        "credential_expires",
    )  # fmt: skip
    list_filter = ("environment", "status", "credential_kind", "identity_mode")
    search_fields = ("name", "region", "server")
    date_hierarchy = "created"
    actions = (_poll,)
    exclude = ("sealed_connection",)
    readonly_fields = fields = (
        "name", "environment", "region", "server", "version", "node_count", "status",
        "status_reason", "status_since", "observed_at", "polled_at", "latency_ms",
        "credential_kind", "credential_expires", "certificate_expires", "has_metrics",
        "metrics_reason", "identity_mode", "system_uid", "created", "created_by",
    )  # fmt: skip


@admin.register(Namespace)
class NamespaceAdmin(ScopeAdmin):
    list_display = ("name", "cluster")
    list_filter = ("cluster",)
    list_select_related = ("cluster",)
    search_fields = ("name", "cluster__name")
    readonly_fields = fields = ("cluster", "name", "uid")


@admin.register(CustomResource)
class CustomResourceAdmin(ReadOnlyAdmin):
    """Turned on and off on the pages of the cluster, which asks it whether there is such a kind."""

    list_display = ("cluster", "kind", "group", "version", "plural", "namespaced")
    list_filter = ("cluster",)
    list_select_related = ("cluster",)
    search_fields = ("kind", "group", "plural")
