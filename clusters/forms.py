"""What people fill in about clusters."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.kube import kubeconfig
from clusters.kube.errors import KubeconfigError
from clusters.kube.manifest import FEATURES
from clusters.models import Cluster, Environment, Namespace
from clusters.services.checks import LARGEST_KUBECONFIG
from clusters.services.editing import Changes
from clusters.services.registration import Registration
from teams.models import Team
from teams.roles import Role


class KubeconfigForm(forms.Form):
    """A kubeconfig, pasted or uploaded, and which of its contexts is meant.

    The text of an upload moves into the pasted one, so that it is kept when the form comes back;
    the choice of a context appears once there are several.
    """

    kubeconfig = forms.CharField(
        label=_("Kubeconfig"),
        required=False,
        strip=False,
        max_length=LARGEST_KUBECONFIG,
        widget=forms.Textarea(attrs={"rows": 9, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_(
            "Paste it, or choose the file below. Credentials must stand in it:"
            " kubectl config view --raw --flatten --minify"
        ),
    )
    kubeconfig_file = forms.FileField(label=_("Kubeconfig file"), required=False)
    context = forms.CharField(
        label=_("Context"),
        required=False,
        max_length=253,
        widget=forms.HiddenInput(),
        help_text=_("The kubeconfig has several; each may be another cluster."),
    )
    # What the finished steps found, signed: shown again, never trusted.
    progress = forms.CharField(required=False, widget=forms.HiddenInput())

    def clean_kubeconfig_file(self) -> str:
        upload = self.cleaned_data.get("kubeconfig_file")
        if upload is None:
            return ""
        if upload.size > LARGEST_KUBECONFIG:
            raise forms.ValidationError(_("The file is larger than 256 KiB."))
        try:
            text = str(upload.read().decode())
        except UnicodeDecodeError as error:
            raise forms.ValidationError(_("The file is not UTF-8 text.")) from error
        self.keep("kubeconfig", text)
        return text

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        self._offer_contexts()
        if not self.errors and not self.text:
            self.add_error("kubeconfig", _("Paste a kubeconfig or choose its file."))
        return data

    @property
    def text(self) -> str:
        """The kubeconfig: of the upload, if there is one, else what was pasted."""
        data = self.cleaned_data
        return str(data.get("kubeconfig_file") or data.get("kubeconfig") or "")

    @property
    def context_name(self) -> str | None:
        """The chosen context; None leaves it to the kubeconfig."""
        return self.cleaned_data.get("context") or None

    @property
    def must_choose(self) -> bool:
        """Whether there are several contexts of which nobody has chosen one yet."""
        return not self.fields["context"].widget.is_hidden and not self.context_name

    def _offer_contexts(self) -> None:
        try:
            names = kubeconfig.contexts(self.text)
            current = kubeconfig.current_context(self.text)
        except KubeconfigError:
            return  # the first step says what is wrong with it
        if len(names) < 2:  # what was chosen before was of another file
            self.cleaned_data["context"] = ""
            self.keep("context", "")
            return
        if self.context_name not in names:  # chosen in another file
            self.cleaned_data["context"] = ""
        preselected = self.context_name or (current if current in names else names[0])
        # Another field in its place would not be shown: the form has bound this one by now.
        self.fields["context"].widget = forms.Select(
            {"autofocus": not self.context_name}, [(name, name) for name in names]
        )
        self.keep("context", preselected)

    def keep(self, name: str, value: str) -> None:
        """What the field shows when the form comes back."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data[self.add_prefix(name)] = value
        self.data = data


class RegisterForm(KubeconfigForm, forms.ModelForm):
    allow_duplicate = forms.BooleanField(
        label=_("Register it once more, under this name"),
        required=False,
        widget=forms.HiddenInput(),
    )

    class Meta:
        model = Cluster
        fields = ("name", "environment", "region")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["environment"]
        choice.choices = [("", _("Choose one")), *Environment.choices]  # type: ignore[attr-defined]
        if self.data.get("allow_duplicate"):
            self.offer_duplicate()

    def offer_duplicate(self) -> None:
        """Shows the choice to register a cluster that is registered already."""
        self.fields["allow_duplicate"].widget = forms.CheckboxInput()

    @property
    def registration(self) -> Registration:
        """What was filled in. Only after `is_valid()`."""
        data = self.cleaned_data
        return Registration(
            name=data["name"],
            environment=Environment(data["environment"]),
            region=data["region"],
            kubeconfig=self.text,
            context=self.context_name,
            allow_duplicate=data["allow_duplicate"],
        )


class EditForm(forms.ModelForm):
    """The fields that a cluster's admins change."""

    class Meta:
        model = Cluster
        fields = ("name", "environment", "region")

    @property
    def changes(self) -> Changes:
        """What was filled in. Only after `is_valid()`."""
        data = self.cleaned_data
        return Changes(data["name"], Environment(data["environment"]), data["region"])


class ManifestForm(forms.Form):
    """What the account of the manifest may do."""

    usual = ("watch", "metrics", "logs")
    features = forms.MultipleChoiceField(
        label=_("The account may"),
        required=False,
        widget=forms.CheckboxSelectMultiple(),
        choices=[
            ("watch", _("list and watch what is there (always)")),
            ("metrics", _("read what nodes and pods use, from the metrics API")),
            ("logs", _("read the logs of containers")),
            (
                "secrets",
                _(
                    "list Secrets: MCM keeps their names and Helm's releases only, but Kubernetes"
                    " knows no right to names alone, so whoever has the token can read them whole"
                ),
            ),
            ("exec", _("open a terminal in containers, with all that runs there can do")),
            (
                "deploy",
                _(
                    "install charts: a chart may hold anything, so this is every right on the"
                    " cluster (cluster-admin)"
                ),
            ),
        ],
    )

    def clean_features(self) -> list[str]:
        return sorted({"watch", *self.cleaned_data["features"]}, key=FEATURES.index)


class GrantForm(forms.Form):
    """A role for a team on one of the scopes that the person administers.

    It is posted twice: what was filled in first is previewed, and made when it comes again.
    """

    team_name = forms.ModelChoiceField(
        label=_("Team"), queryset=Team.objects.all(), to_field_name="name"
    )
    place = forms.ChoiceField(label=_("Where"))
    role_name = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.VIEWER)
    ends = forms.DateTimeField(
        label=_("Ends (UTC)"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: until it is revoked."),
    )
    previewed = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, scopes: list[Cluster | Namespace], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._scopes = {_place(scope): scope for scope in scopes}
        choices = [
            (place, scope.name if place else _("The whole cluster"))
            for place, scope in self._scopes.items()
        ]
        self.fields["place"].choices = choices  # type: ignore[attr-defined]
        # "" stands for the whole cluster, which Django takes for no choice.
        self.fields["place"].required = "" not in self._scopes

    def clean_ends(self) -> datetime | None:
        ends: datetime | None = self.cleaned_data["ends"]
        if ends is not None and ends <= timezone.now():
            raise forms.ValidationError(_("This moment is over."))
        return ends

    @property
    def team(self) -> Team:
        found: Team = self.cleaned_data["team_name"]
        return found

    @property
    def role(self) -> Role:
        return Role(self.cleaned_data["role_name"])

    @property
    def scope(self) -> Cluster | Namespace:
        return self._scopes[self.cleaned_data["place"]]

    @property
    def was_previewed(self) -> bool:
        """Whether just this was shown before."""
        return bool(self.cleaned_data["previewed"] == self._signature)

    def preview(self) -> None:
        """Shown now: posted again as it is, it is made."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["previewed"] = self._signature
        self.data = data

    @property
    def _signature(self) -> str:
        data = self.cleaned_data
        return f"{self.team.pk}/{data['place']}/{self.role}/{data['ends']}"


def _place(scope: Cluster | Namespace) -> str:
    return scope.name if isinstance(scope, Namespace) else ""


class DeleteForm(forms.Form):
    """Deleting asks for the cluster's name, typed."""

    confirm_name = forms.CharField(label=_("Name"), max_length=63)

    def __init__(self, *args: Any, cluster: Cluster, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cluster = cluster

    def clean_confirm_name(self) -> str:
        typed = str(self.cleaned_data["confirm_name"])
        if typed != self.cluster.name:
            raise forms.ValidationError(_("This is not the cluster's name."))
        return typed
