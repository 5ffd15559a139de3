"""Users, for platform admins; writes go through the services."""

from http import HTTPStatus

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from teams import confirmation, services
from teams.admin.bulk import confirmed
from teams.admin.rows import Admin, acting
from teams.models import User

_disable = confirmed(
    "disable",
    _("Disable"),
    _("These people are signed out at once, and neither they nor their tokens get in again:"),
    lambda user, by: services.set_active(user, False, by=by),
)
_enable = confirmed(
    "enable",
    _("Enable"),
    _("These people may sign in again, with the rights of their teams:"),
    lambda user, by: services.set_active(user, True, by=by),
)


# Who makes platform admins, or another's password, shows once more who it is.
@admin.register(User)
@method_decorator(confirmation.confirmed, name="changeform_view")
@method_decorator(confirmation.confirmed, name="user_change_password")
class McmUserAdmin(UserAdmin, Admin):  # type: ignore[misc]  # the stubs' paginator is narrower
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "teams")
    search_fields = ("username", "first_name", "last_name", "email")
    date_hierarchy = "date_joined"
    readonly_fields = ("password_set", "last_login", "date_joined")
    # The rights of people are those of their teams.
    filter_horizontal = ()
    actions = (_disable, _enable)
    fieldsets = (
        (None, {"fields": ("username", "password_set")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("is_active", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    @admin.display(description=_("name"))
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=_("password"))
    def password_set(self, user: User) -> str:
        """Whether there is one; even a part of its hash is nobody's business."""
        said = _("Set") if user.has_usable_password() else _("None: cannot sign in by password")
        where = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('{} · <a class="text-link" href="{}">{}</a>', said, where, _("Change"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """People: a robot comes and goes with its token."""
        people: QuerySet[User] = super().get_queryset(request)
        return people.filter(robot_of=None)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and obj != request.user

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        # Who is in here is a platform admin: Django's own flag says no more than that.
        obj.is_staff = obj.is_superuser
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
            if user == request.user:
                text = _("You cannot delete yourself.")
                self.message_user(request, text, messages.ERROR)
            else:
                services.delete_user(user, by=acting(request))
