"""Every grant: given here or on its scope's own page, taken back, never changed."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import CharField, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from clusters.models import Cluster
from teams import services as teams
from teams.admin import Admin, acting, confirmed
from teams.models import Grant
from teams.roles import Role

_end = confirmed(
    "end",
    _("Take back"),
    _("The teams lose these grants at once, and their open pages and streams with them:"),
    lambda grant, by: teams.revoke(grant, by=by),
)


class GrantForm(ModelForm):
    """A team in a role on a whole cluster, or on the one namespace of it that is named."""

    cluster_name = CharField(label=_("Cluster"), widget=UnfoldAdminTextInputWidget())
    namespace_name = CharField(
        label=_("Namespace"),
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("Leave it empty to grant the whole cluster."),
    )

    class Meta:
        model = Grant
        fields = ("team", "role", "ends")

    def clean_cluster_name(self) -> Cluster:
        found = Cluster.objects.filter(name=self.cleaned_data["cluster_name"]).first()
        if found is None:
            raise ValidationError(_("There is no such cluster."))
        return found

    def clean_ends(self) -> datetime | None:
        ends: datetime | None = self.cleaned_data["ends"]
        if ends is not None and ends <= timezone.now():
            raise ValidationError(_("This moment is over."))
        return ends

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        cluster, name = data.get("cluster_name"), data.get("namespace_name")
        data["scope"] = cluster
        if cluster and name:
            data["scope"] = cluster.namespaces.filter(name=name).first()
            if data["scope"] is None:
                self.add_error("namespace_name", _("This cluster has no such namespace."))
        return data


@admin.register(Grant)
class GrantAdmin(Admin):
    form = GrantForm
    fields = ("team", "role", "cluster_name", "namespace_name", "ends")
    list_display = ("team", "role", "scope_type", "scope", "created", "ends")
    list_filter = ("role", "team")
    list_select_related = ("team", "scope_type")
    search_fields = ("team__name", "team__members__username")
    date_hierarchy = "created"
    autocomplete_fields = ("team",)
    actions = (_end,)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # Taking back says more of what happens than deleting.
        found: dict[str, Any] = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        return super().get_queryset(request).prefetch_related("scope")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = ("team", "role", "scope_type", "scope", "created", "ends")
        return shown if obj else self.fields

    def save_model(self, request: HttpRequest, obj: Grant, form: ModelForm, change: bool) -> None:
        obj.scope = form.cleaned_data["scope"]
        given = teams.grant(obj.team, Role(obj.role), obj.scope, by=acting(request), ends=obj.ends)
        obj.pk = given.pk

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        teams.revoke(obj, by=acting(request))
