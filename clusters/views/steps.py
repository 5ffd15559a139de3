"""A form whose work is done step by step before the reader's eyes.

In the dialog each answer shows what is finished and asks by itself for the next step, until the
last one, which is the service and does all of it again: what the browser brings along is only
shown. Without scripts one POST does everything.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core import signing

from clusters.forms import KubeconfigForm
from clusters.models import Cluster
from clusters.services.checks import STEPS, Look, RegistrationFailed

_SALT = "clusters.steps"
_LAST = "store"


@dataclass
class Progress:
    """How far the steps are: what each finished one found, which runs, which failed and why."""

    results: dict[str, str] = field(default_factory=dict)
    running: str = ""
    failed: RegistrationFailed | None = None

    @property
    def way_out(self) -> bool:
        """Whether a service account made for MCM would help."""
        return self.failed is not None and self.failed.way_out

    def steps(self) -> list[dict[str, str]]:
        """The steps as `components/steps.html` shows them."""
        return [self._step(name) | {"label": str(label)} for name, label in STEPS.items()]

    def _step(self, name: str) -> dict[str, str]:
        if self.failed is not None and name == self.failed.step:
            return {"state": "failed", "detail": str(self.failed)}
        if name in self.results:
            return {"state": "done", "detail": self.results[name]}
        return {"state": "running" if name == self.running else "waiting"}


def take(
    form: KubeconfigForm, finish: Callable[[], Cluster], *, stepwise: bool
) -> tuple[Progress, Cluster | None]:
    """Takes the next step of a valid form, or all that are left where nobody watches.

    Gives the cluster once the last one, `finish`, succeeded. A failure is in the progress, and as
    an error in the form, where that has its field.
    """
    progress = Progress(_read(form) if stepwise else {})
    step = next(name for name in STEPS if name not in progress.results)
    try:
        if not stepwise or step == _LAST:
            return progress, finish()
        with Look(form.text, form.context_name) as look:
            progress.results[step] = look.run(step)
    except RegistrationFailed as failed:
        progress.results |= failed.results
        for name in list(STEPS)[list(STEPS).index(failed.step) :]:
            progress.results.pop(name, None)
        progress.failed = failed
        form.add_error(failed.field if failed.field in form.fields else None, str(failed))
        return progress, None
    progress.running = next(name for name in STEPS if name not in progress.results)
    form.keep("progress", signing.dumps([_digest(form), progress.results], salt=_SALT))
    return progress, None


def _read(form: KubeconfigForm) -> dict[str, str]:
    """The results that came along; none when they are not ours or of another kubeconfig."""
    try:
        digest, results = signing.loads(form.cleaned_data["progress"], salt=_SALT, max_age=3600)
    except (signing.BadSignature, ValueError):
        return {}
    return dict(results) if digest == _digest(form) else {}


def _digest(form: KubeconfigForm) -> str:
    return hashlib.sha256(f"{form.context_name}\n{form.text}".encode()).hexdigest()
