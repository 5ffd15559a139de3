"""Users, teams and members for platform admins; writes go through the services."""

from http import HTTPStatus
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from teams import services
from teams.confirmation import confirmed
from teams.forms import MappingForm
from teams.models import AuditEvent, GroupMapping, Membership, Team, User

# Groups belong to teams and are not edited by hand.
admin.site.unregister(Group)
# Of django-allauth: providers stand in the settings, the rest is each person's own.
for model in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    admin.site.unregister(model)


# Who makes platform admins, or another's password, shows once more who it is.
@admin.register(User)
@method_decorator(confirmed, name="changeform_view")
@method_decorator(confirmed, name="user_change_password")
class McmUserAdmin(UserAdmin):
    list_display = ("username", "email", "is_active", "is_superuser", "last_login")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """People: a robot comes and goes with its token."""
        people: QuerySet[User] = super().get_queryset(request)
        return people.filter(robot_of=None)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        services.save_user(obj, by=acting(request))

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        response = super().user_change_password(request, id, form_url)
        if response.status_code == HTTPStatus.FOUND:
            # The form saves the user itself; its old sessions and their sockets end now.
            services.password_changed(User.objects.get(pk=id), by=acting(request))
        return response

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        services.delete_user(obj, by=acting(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            services.delete_user(user, by=acting(request))


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 1
    autocomplete_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        members: QuerySet[Membership] = super().get_queryset(request)
        return members.filter(user__robot_of=None)


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    list_display = ("name",)
    search_fields = ("name",)
    inlines = (MembershipInline,)

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
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


@admin.register(GroupMapping)
class GroupMappingAdmin(admin.ModelAdmin):
    form = MappingForm
    list_display = ("provider", "group", "team")
    list_filter = ("provider",)
    search_fields = ("group", "team__name")
    autocomplete_fields = ("team",)

    def save_model(self, request: HttpRequest, obj: GroupMapping, form: Any, change: bool) -> None:
        services.save_mapping(obj, by=acting(request))

    def delete_model(self, request: HttpRequest, obj: GroupMapping) -> None:
        services.delete_mapping(obj, by=acting(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[GroupMapping]) -> None:
        for mapping in queryset:
            services.delete_mapping(mapping, by=acting(request))


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that are looked at here and changed elsewhere, or never."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_name", "action", "object_type", "object_name")
    list_filter = ("action", "object_type")
    search_fields = ("actor_name", "object_name")


def acting(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("the admin site lets only users through")
    return request.user
