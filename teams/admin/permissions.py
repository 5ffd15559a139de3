"""How grants are kept: Django's groups and permissions, guardian's rows. Services write them."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from guardian.models import GroupObjectPermission, UserObjectPermission

from teams.admin.rows import ReadOnlyAdmin

admin.site.unregister(Group)
# Of django-allauth: providers stand in the settings, the rest is each person's own, on the pages of
# the account and of the person.
for model in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    admin.site.unregister(model)


@admin.register(Group)
class GroupAdmin(ReadOnlyAdmin):
    """One of each team."""

    list_display = ("name", "team")
    list_select_related = ("team",)
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "team")


@admin.register(Permission)
class PermissionAdmin(ReadOnlyAdmin):
    list_display = ("codename", "name", "content_type")
    list_filter = ("content_type",)
    list_select_related = ("content_type",)
    search_fields = ("codename", "name")


@admin.register(GroupObjectPermission)
class GroupObjectPermissionAdmin(ReadOnlyAdmin):
    list_display = ("group", "permission", "content_type", "object_pk")
    list_filter = ("content_type", "permission__codename")
    list_select_related = ("group", "permission__content_type", "content_type")
    search_fields = ("group__name", "object_pk")
    fields = ("group", "permission", "content_type", "object_pk")


@admin.register(UserObjectPermission)
class UserObjectPermissionAdmin(ReadOnlyAdmin):
    """None: what is granted is granted to teams. A row here would be somebody's mistake."""

    list_display = ("user", "permission", "content_type", "object_pk")
    list_select_related = ("user", "permission__content_type", "content_type")
    search_fields = ("user__username", "object_pk")
    fields = ("user", "permission", "content_type", "object_pk")
