"""Teams and their members, for platform admins; writes go through the services."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from teams import services
from teams.admin.rows import Admin, acting
from teams.forms import MappingForm
from teams.models import GroupMapping, Membership, Team


def _of_people(rows: QuerySet[Membership]) -> QuerySet[Membership]:
    """Robots are in their teams as long as their tokens last; nobody puts them there."""
    return rows.filter(user__robot_of=None)


class MembershipInline(TabularInline):  # type: ignore[misc]  # untyped
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return _of_people(super().get_queryset(request))


@admin.register(Team)
class TeamAdmin(Admin):
    list_display = ("name", "members_in", "grants_held")
    search_fields = ("name", "members__username")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        people = Q(membership__user__robot_of=None)
        counts = {
            "members_n": Count("membership", distinct=True, filter=people),
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return _of_people(super().get_queryset(request))

    def save_model(
        self, request: HttpRequest, obj: Membership, form: ModelForm, change: bool
    ) -> None:
        services.save_membership(obj, by=acting(request))

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        services.delete_membership(obj, by=acting(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for row in queryset.select_related("team", "user"):
            services.delete_membership(row, by=acting(request))


@admin.register(GroupMapping)
class GroupMappingAdmin(Admin):
    form = MappingForm
    list_display = ("provider", "group", "team")
    list_filter = ("provider",)
    list_select_related = ("team",)
    search_fields = ("group", "team__name")
    autocomplete_fields = ("team",)

    def save_model(
        self, request: HttpRequest, obj: GroupMapping, form: ModelForm, change: bool
    ) -> None:
        services.save_mapping(obj, by=acting(request))

    def delete_model(self, request: HttpRequest, obj: GroupMapping) -> None:
        services.delete_mapping(obj, by=acting(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[GroupMapping]) -> None:
        for mapping in queryset.select_related("team"):
            services.delete_mapping(mapping, by=acting(request))
