"""Teams and their members, for platform admins; writes go through the services."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from teams import services
from teams.admin.rows import Admin, acting
from teams.models import Membership, Team


class MembershipInline(TabularInline):  # type: ignore[misc]  # untyped
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Team)
class TeamAdmin(Admin):
    list_display = ("name", "members_in", "grants_held")
    search_fields = ("name", "members__username")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        counts = {
            "members_n": Count("membership", distinct=True),
            "grants_n": Count("grants", distinct=True),
        }
        rows: QuerySet[Team] = super().get_queryset(request).annotate(**counts)
        return rows

    @admin.display(description=_("members"), ordering="members_n")
    def members_in(self, team: Any) -> int:
        return int(team.members_n)

    @admin.display(description=_("grants"), ordering="grants_n")
    def grants_held(self, team: Any) -> int:
        return int(team.grants_n)

    def save_model(self, request: HttpRequest, obj: Team, form: ModelForm, change: bool) -> None:
        services.save_team(obj, by=acting(request))

    def delete_model(self, request: HttpRequest, obj: Team) -> None:
        services.delete_team(obj, by=acting(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Team]) -> None:
        for team in queryset:
            services.delete_team(team, by=acting(request))

    def save_formset(
        self, request: HttpRequest, form: ModelForm, formset: Any, change: bool
    ) -> None:
        formset.save(commit=False)
        for row in formset.deleted_objects:
            services.delete_membership(row, by=acting(request))
        for row, _changed in formset.changed_objects:
            services.save_membership(row, by=acting(request))
        for row in formset.new_objects:
            services.save_membership(row, by=acting(request))


@admin.register(Membership)
class MembershipAdmin(Admin):
    """Who is in which team, of all teams at once."""

    list_display = ("user", "team", "is_manager")
    list_filter = ("is_manager", "team")
    list_select_related = ("user", "team")
    search_fields = ("user__username", "team__name")
    autocomplete_fields = ("user", "team")
    ordering = ("team__name", "user__username")

    def save_model(
        self, request: HttpRequest, obj: Membership, form: ModelForm, change: bool
    ) -> None:
        services.save_membership(obj, by=acting(request))

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        services.delete_membership(obj, by=acting(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for row in queryset.select_related("team", "user"):
            services.delete_membership(row, by=acting(request))
