"""What people fill in about teams, and to sign in."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.conf import settings
from django.core.validators import validate_slug
from django.utils.translation import gettext_lazy as _

from teams import accounts
from teams.models import GroupMapping, Membership, Team, User
from teams.roles import Level, Reach
from teams.services.tokens import USUAL_DAYS, Wanted


class TeamForm(forms.ModelForm):
    class Meta:
        model = Team
        fields = ("name",)
        help_texts = {"name": _("Letters, digits, dashes and underscores.")}


class MemberForm(forms.Form):
    """A person who joins a team."""

    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    is_manager = forms.BooleanField(label=_("Manages the team's members"), required=False)

    def __init__(self, *args: Any, team: Team, may_promote: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._team = team
        if not may_promote:
            del self.fields["is_manager"]

    def clean_username(self) -> str:
        name = str(self.cleaned_data["username"])
        user = User.objects.filter(username=name, is_active=True, robot_of=None).first()
        if user is None:
            raise forms.ValidationError(_("There is no such person, or not any more."))
        if Membership.objects.filter(team=self._team, user=user).exists():
            raise forms.ValidationError(_("This person is in the team."))
        self._user = user
        return name

    @property
    def membership(self) -> Membership:
        """The new membership. Only after `is_valid()`."""
        is_manager = self.cleaned_data.get("is_manager", False)
        return Membership(team=self._team, user=self._user, is_manager=is_manager)


class DeleteTeamForm(forms.Form):
    """Deleting asks for the team's name, typed."""

    confirm_name = forms.CharField(label=_("Name"), max_length=50)

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._team = team

    def clean_confirm_name(self) -> str:
        typed = str(self.cleaned_data["confirm_name"])
        if typed != self._team.name:
            raise forms.ValidationError(_("This is not the team's name."))
        return typed


class _Code(forms.Form):
    """Codes are counted when they fail, and a refusal says for how long."""

    user: User
    step = "code"

    def clean_code(self) -> str:
        try:
            code: str = super().clean_code()  # type: ignore[misc]  # of the class beside this one
        except forms.ValidationError as error:
            # As django-allauth counts them; by the person, so that flooding others resets nothing.
            key = f"mfa-auth-user-{self.user.pk}"
            refusal = accounts.locked(context.request, key)
            if error.code in {accounts.LOCKED, "rate_limited"}:
                raise refusal from error
            is_locked = accounts.locked_seconds(context.request, key) > 0
            accounts.failed(self.user.get_username(), step=self.step, locked=is_locked)
            raise
        return code


_NUMERIC = {"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}


class ActivateForm(_Code, ActivateTOTPForm):  # type: ignore[misc]  # untyped
    step = "enrol"
    code = forms.CharField(
        label=_("Code of the app"), max_length=20, widget=forms.TextInput(attrs=_NUMERIC)
    )


class CodeForm(_Code, AuthenticateForm):  # type: ignore[misc]  # untyped
    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        help_text=_("Of your app, or one of your recovery codes."),
        widget=forms.TextInput(attrs=_NUMERIC),
    )


class ConfirmCodeForm(_Code, ReauthenticateForm):  # type: ignore[misc]  # untyped
    step = "confirm"
    code = CodeForm.base_fields["code"]


class MappingForm(forms.ModelForm):
    class Meta:
        model = GroupMapping
        fields = ("provider", "group", "team")

    def clean_provider(self) -> str:
        typed = str(self.cleaned_data["provider"])
        known = accounts.providers()
        if typed not in known:
            names = ", ".join(known) or "-"
            raise forms.ValidationError(
                _("There is no such provider. There are: %(names)s") % {"names": names}
            )
        return typed


class TokenForm(forms.Form):
    """A token, for some clusters or for all."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("For what it is: you see it in the list and in what was done with it."),
    )
    scope = forms.ChoiceField(
        label=_("Scope"),
        widget=forms.RadioSelect(),
        initial=Level.READ,
        choices=[
            (Level.READ, _("Read: see what you see")),
            (Level.OPERATE, _("Operate: also deploy, restart and scale where you may")),
            (Level.ADMIN, _("Admin: everything that you may, also granting roles")),
        ],
    )
    clusters = forms.TypedMultipleChoiceField(
        label=_("Only these clusters"),
        required=False,
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple(),
        help_text=_("None chosen: all that you see, also those that come later."),
    )
    days = forms.IntegerField(
        label=_("Days until it expires"),
        min_value=1,
        max_value=settings.TOKEN_DAYS,
        initial=USUAL_DAYS,
    )

    def __init__(self, *args: Any, clusters: list[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clusters"].choices = clusters  # type: ignore[attr-defined]
        if not clusters:
            del self.fields["clusters"]

    @property
    def wanted(self) -> Wanted:
        """What was filled in. Only after `is_valid()`."""
        data = self.cleaned_data
        only = frozenset(data.get("clusters", ())) or None
        return Wanted(timedelta(days=data["days"]), data["name"], Reach(Level(data["scope"]), only))


class RobotForm(TokenForm):
    """A token of a team."""

    name = forms.CharField(
        label=_("Name of the robot"),
        max_length=50,
        validators=[validate_slug],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "Letters, digits, dashes and underscores. What it does is told under this name."
        ),
    )
    scope = forms.ChoiceField(
        label=_("Scope"),
        widget=forms.RadioSelect(),
        initial=Level.READ,
        choices=[
            (Level.READ, _("Read: see what the team sees")),
            (Level.OPERATE, _("Operate: also deploy, restart and scale where the team may")),
            (Level.ADMIN, _("Admin: everything that the team may, also granting roles")),
        ],
    )
