"""Clusters and namespaces for platform admins: look at them, and grant teams roles on them."""

from typing import Any

from django.contrib import admin
from django.contrib.contenttypes.admin import GenericTabularInline
from django.db.models import QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from clusters.models import Cluster, KindState, Lease, Namespace
from teams import services as teams
from teams.admin import ReadOnlyAdmin, acting
from teams.models import Grant
from teams.roles import Role


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
    list_filter = ("environment", "status", "identity_mode")
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
        "identity_mode",
    )


@admin.register(Namespace)
class NamespaceAdmin(ScopeAdmin):
    list_display = ("name", "cluster")
    list_filter = ("cluster",)
    search_fields = ("name",)
    readonly_fields = fields = ("cluster", "name")


class GrantForm(ModelForm):
    """A team in a role on a whole cluster, or on the one namespace of it that is chosen."""

    cluster = ModelChoiceField(Cluster.objects)
    namespace = ModelChoiceField(
        Namespace.objects.select_related("cluster"),
        required=False,
        help_text=_("Leave it empty to grant the whole cluster."),
    )

    class Meta:
        model = Grant
        fields = ("team", "role")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        cluster, namespace = data.get("cluster"), data.get("namespace")
        if cluster and namespace and namespace.cluster != cluster:
            self.add_error("namespace", _("This namespace is in another cluster."))
        return data


@admin.register(Grant)
class GrantAdmin(ReadOnlyAdmin):
    """Every grant: given here or on its scope's own page, taken back, never changed."""

    form = GrantForm
    fields = ("team", "role", "cluster", "namespace")
    list_display = ("team", "role", "scope_type", "scope", "created")
    list_filter = ("role", "team")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("team", "role", "scope_type", "scope") if obj else self.fields

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        obj.scope = form.cleaned_data["namespace"] or form.cleaned_data["cluster"]
        obj.pk = teams.grant(obj.team, Role(obj.role), obj.scope, by=acting(request)).pk

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        teams.revoke(obj, by=acting(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Grant]) -> None:
        for row in queryset:
            teams.revoke(row, by=acting(request))


@admin.register(KindState)
class KindStateAdmin(ReadOnlyAdmin):
    list_display = ("cluster", "kind", "state", "reason", "observed_at")
    list_filter = ("state", "kind", "cluster")


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    list_display = ("cluster", "owner", "epoch", "expires")
