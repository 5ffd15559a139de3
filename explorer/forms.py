"""What is asked before an act: its arguments, from the dialog and from the API alike."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from explorer.executor import PATIENCE

# A qualified name: an optional DNS prefix, and at most 63 characters.
_KEY = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\Z"
)
_LABEL = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?\Z")
# kubectl's own, which holds a whole object: of a Secret its values, which no operation may keep.
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
LONGEST_ANNOTATION = 64 * 1024
MOST_CHANGES = 50


class Arguments(forms.Form):
    """Acts without arguments, and what all of them share."""

    @property
    def given(self) -> dict[str, Any]:
        """The arguments, as the executor takes them; what was left empty is left out."""
        return {key: value for key, value in self.cleaned_data.items() if value not in (None, "")}


class Waiting(Arguments):
    """Acts after which pods are made."""

    wait = forms.BooleanField(
        label=_("Wait until its pods are ready"), required=False, initial=True
    )
    timeout = forms.IntegerField(
        label=_("Give up after (seconds)"), min_value=5, max_value=3600, initial=PATIENCE
    )


class Scale(Waiting):
    replicas = forms.IntegerField(label=_("Replicas"), min_value=0, max_value=10_000)
    # How many there must still be: the dialog says it of each object, callers of the API may.
    seen = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)
    field_order = ["replicas", "wait", "timeout"]


class Rollback(Waiting):
    revision = forms.IntegerField(
        label=_("Revision"),
        min_value=0,
        required=False,
        help_text=_("Left empty: the one before the newest."),
    )
    field_order = ["revision", "wait", "timeout"]

    def offer(self, revisions: list[tuple[int, str]]) -> None:
        """The revisions that there are, with what is told of each; the first is the newest."""
        self.fields["revision"].widget = forms.Select(choices=revisions[1:] or [("", "-")])
        self.fields["revision"].help_text = ""


class Drain(Arguments):
    unmanaged = forms.BooleanField(
        label=_("Also pods that nobody makes anew: they are gone for ever"), required=False
    )
    empty_dirs = forms.BooleanField(
        label=_("Also pods that keep something in emptyDirs: it is lost"), required=False
    )
    timeout = forms.IntegerField(
        label=_("Give up after (seconds)"), min_value=5, max_value=3600, initial=600
    )
    grace = forms.IntegerField(
        label=_("Seconds that each pod gets to end"),
        min_value=0,
        max_value=3600,
        required=False,
        help_text=_("Left empty: as many as it asks for."),
    )


class Delete(Arguments):
    orphan = forms.BooleanField(label=_("Keep what it owns"), required=False)
    force = forms.BooleanField(
        label=_("Do not wait until its containers have ended"), required=False
    )


class ChangesField(forms.Field):
    """Lines `key=value`, and `key-` to remove one; from the API an object with null to remove."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "off"})

    def __init__(self, *args: Any, labels: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._labels = labels

    def to_python(self, value: Any) -> dict[str, str | None]:
        if isinstance(value, dict):
            pairs = list(value.items())
        else:
            pairs = [
                self._pair(line.strip()) for line in str(value or "").splitlines() if line.strip()
            ]
        if len(pairs) > MOST_CHANGES:
            raise forms.ValidationError(_("At most %(most)d at once.") % {"most": MOST_CHANGES})
        for key, text in pairs:
            self._check(key, text)
        return dict(pairs)

    @staticmethod
    def _pair(line: str) -> tuple[str, str | None]:
        key, equals, value = line.partition("=")
        if equals:
            return key.strip(), value.strip()
        if line.endswith("-"):
            return line[:-1], None
        raise forms.ValidationError(
            _('"%(line)s" is neither key=value nor key- (to remove it).') % {"line": line[:80]}
        )

    def _check(self, key: Any, text: Any) -> None:
        if not (isinstance(key, str) and _KEY.match(key)) or key == _APPLIED:
            raise forms.ValidationError(_('"%(key)s" is no key.') % {"key": str(key)[:80]})
        if text is None:
            return
        fits = isinstance(text, str) and (
            _LABEL.match(text) if self._labels else len(text.encode()) <= LONGEST_ANNOTATION
        )
        if not fits:
            raise forms.ValidationError(_('The value of "%(key)s" is not allowed.') % {"key": key})


_HELP = _("A line for each: key=value, or key- to remove it.")


class Label(Arguments):
    changes = ChangesField(label=_("Labels"), labels=True, help_text=_HELP)


class Annotate(Arguments):
    changes = ChangesField(label=_("Annotations"), labels=False, help_text=_HELP)


FORMS: dict[str, type[Arguments]] = {
    "scale": Scale,
    "restart": Waiting,
    "rollback": Rollback,
    "drain": Drain,
    "delete": Delete,
    "label": Label,
    "annotate": Annotate,
}


def form_of(act: str) -> type[Arguments]:
    return FORMS.get(act, Arguments)


def usual(act: str) -> dict[str, Any]:
    """What stands in the form of an act before anybody has filled it in."""
    fields = form_of(act).base_fields
    return {name: field.initial for name, field in fields.items() if field.initial is not None}
