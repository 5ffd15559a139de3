"""What people fill in about teams."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from teams.models import Membership, Team, User


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
