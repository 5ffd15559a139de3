"""The dialog before an act: what will happen to which objects of which clusters."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from clusters import vault
from clusters.kube.acting import revisions
from clusters.kube.acting.target import Target
from clusters.kube.client import Client
from clusters.kube.errors import KubeError
from clusters.models import Environment, Object
from clusters.store import identity
from explorer.executor.catalog import ACTS, WRITTEN, Act
from explorer.filters.acting import confirm_word, keys_of
from explorer.forms import Arguments, Rollback, form_of
from explorer.services import acting, editing
from explorer.services.acting import Choice
from operations import services as operations
from operations import store
from operations.models import Operation
from teams import access, confirmation
from teams.roles import Denied
from teams.views import SignedInRequest, form_page, go

PAGE = "explorer/act.html"
# Seconds for what the dialog asks the cluster itself.
PATIENCE = 4.0


@require_http_methods(["GET", "POST"])
def act(request: SignedInRequest, name: str) -> HttpResponse:
    """An act on the objects that `ids` names: a dialog, then an operation with a step for each."""
    wanted = ACTS.get(name)
    if wanted is None:
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    keys = keys_of(given.get("ids", ""))[: acting.MOST_OBJECTS]
    rows = access.visible(request.user, Object).filter(pk__in=keys).select_related("cluster")
    found = sorted(rows, key=lambda each: keys.index(each.pk))
    if not found:
        raise Http404
    choices = acting.choices(request.user, wanted, found)
    may = permitted(choices)
    back = f"{request.path}?ids={','.join(map(str, keys))}"
    if asks_who(request, wanted, may):
        return confirmation.ask(request, back)
    form = form_of(name)(request.POST or None, initial=_initial(wanted, may))
    if isinstance(form, Rollback) and len(may) == 1:
        _offer(request, form, may[0])
    dialog = Dialog(request, wanted, choices, form)
    if request.method == "POST" and dialog.confirmed() and form.is_valid():
        arguments = [form.given | _seen(request, choice) for choice in may]
        answer = dialog.send(acting.Wanted(wanted, may, arguments, given.get("key", "")[:64]))
        if answer is not None:
            return answer
    return dialog.show()


@require_http_methods(["GET", "POST"])
def undo(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Takes back what an operation did, as far as there is a way back."""
    operation = access.get_or_404(request.user, Operation, pk)
    steps = [(step, step.undo) for step in store.steps(request.user, operation)]
    back = [(step, undone) for step, undone in steps if undone]
    wanted = (ACTS | WRITTEN).get(back[0][1][0]) if back else None
    if wanted is None:
        raise Http404
    found: list[Object] = []
    arguments: dict[int, dict[str, Any]] = {}
    for step, (_name, given) in back:
        rows = access.visible(request.user, Object).select_related("cluster")
        row = rows.filter(cluster=step.cluster, kind=step.kind, uid=step.uid).first()
        if row is not None:
            found.append(row)
            arguments[row.pk] = editing.way_back(step) if wanted.name == "revert" else given
    choices = acting.choices(request.user, wanted, found)
    may = permitted(choices)
    dialog = Dialog(request, wanted, choices, Arguments(request.POST or None), operation)
    if request.method == "POST" and dialog.confirmed():
        each = [arguments[choice.object.pk] for choice in may]
        key = request.POST.get("key", "")[:64]
        answer = dialog.send(acting.Wanted(wanted, may, each, key))
        if answer is not None:
            return answer
    return dialog.show()


class Dialog:
    """The dialog of one act: what it shows, and what it takes."""

    def __init__(
        self,
        request: SignedInRequest,
        wanted: Act,
        choices: Sequence[Choice],
        form: Arguments,
        undone: Operation | None = None,
    ) -> None:
        self.request = request
        self.act = wanted
        self.may = [choice for choice in choices if not choice.reason]
        self.refused = [choice for choice in choices if choice.reason]
        self.form = form
        self.undone = undone
        self.error = ""
        prod = [one for one in self.may if one.object.cluster.environment == Environment.PROD]
        self.word = confirm_word([one.object for one in prod]) if wanted.harmful else ""

    def confirmed(self) -> bool:
        """The word that is asked for was typed."""
        if self.word and self.request.POST.get("confirm_name", "").strip() != self.word:
            self.error = _("Type %(word)s to confirm.") % {"word": self.word}
            return False
        return True

    def send(self, wanted: acting.Wanted) -> HttpResponse | None:
        """Queues it and leads to it; None where the dialog says why not."""
        try:
            operation = acting.request(wanted, by=self.request.user)
        except operations.Held as held:
            self.error = _("%(operation)s works on this object. Wait for its end.") % {
                "operation": held.operation.label
            }
        except operations.KeyReused:
            self.error = _("The dialog was used before. Close it and open it again.")
        else:
            return go(self.request, reverse("operation-detail", args=[operation.pk]))
        return None

    def show(self) -> HttpResponse:
        objects = [choice.object for choice in self.may]
        context: dict[str, Any] = {
            "act": self.act,
            "title": self._title(),
            "objects": [told(each) for each in objects],
            "refused": self.refused,
            "form": self.form if self.form.fields else None,
            "confirm_name": self.word,
            "error": self.error,
            "action": self.request.path,
            "hidden": [
                ("ids", ",".join(str(each.pk) for each in objects)),
                ("key", self.request.POST.get("key") or uuid.uuid4().hex),
            ]
            + [("shown", f"{each.pk}:{each.wanted}") for each in objects if self._is_counted],
            "back": self._back(),
            "autoscaled": _autoscaled(objects) if self._is_counted else "",
        }
        invalid = self.request.method == "POST"
        return form_page(self.request, PAGE, context, invalid=invalid)

    @property
    def _is_counted(self) -> bool:
        return self.act.name == "scale" and self.undone is None

    def _title(self) -> str:
        n = len(self.may)
        if n == 1:
            title = _("%(act)s: %(name)s") % {
                "act": self.act.label, "name": self.may[0].object.name
            }  # fmt: skip
        else:
            title = ngettext("%(act)s: %(n)d object", "%(act)s: %(n)d objects", n) % {
                "act": self.act.label, "n": n
            }  # fmt: skip
        return _("Undo: %(title)s") % {"title": title} if self.undone else title

    def _back(self) -> str:
        """Where Cancel leads on a page of its own."""
        if self.request.htmx:
            return ""
        if self.undone:
            return reverse("operation-detail", args=[self.undone.pk])
        if len(self.may) == 1:
            return reverse("object-detail", args=[self.may[0].object.pk])
        return reverse("objects")


def permitted(choices: Sequence[Choice]) -> list[Choice]:
    """Those that the person may act on. Raises Http404 where there is no such act for any of them,
    and Denied where he may act on none.
    """
    may = [choice for choice in choices if not choice.reason]
    refused = [choice for choice in choices if choice.fits]
    if not refused:
        raise Http404
    if not may:
        raise Denied(refused[0].action, refused[0].object)
    return may


def asks_who(request: SignedInRequest, wanted: Act, may: Sequence[Choice]) -> bool:
    """Grave acts in prod are for who has just shown who it is."""
    grave = wanted.grave and any(one.object.cluster.environment == Environment.PROD for one in may)
    return grave and not confirmation.is_confirmed(request)


def told(found: Object) -> dict[str, Any]:
    """An object as dialogs name it before harm."""
    cluster = found.cluster
    return {
        "kind": found.kind,
        "name": found.name,
        "namespace": found.namespace,
        "cluster": cluster.name,
        "environment": cluster.environment,
        "environment_label": cluster.get_environment_display(),
        "note": _note(found),
    }


def _note(found: Object) -> str:
    """What is worth knowing of it just before."""
    if found.kind == "Node":
        rows = Object.objects.filter(cluster=found.cluster, kind="Pod", node=found.name)
        alone = rows.filter(owner_kind="").count()
        n = rows.count()
        said = ngettext("%(n)d pod runs there.", "%(n)d pods run there.", n) % {"n": n}
        if alone:
            said += " " + ngettext(
                "Nobody would make %(n)d of them anew.", "Nobody would make %(n)d of them anew.",
                alone,
            ) % {"n": alone}  # fmt: skip
        return said
    if found.kind in ("Deployment", "StatefulSet", "ReplicaSet", "DaemonSet"):
        return _("%(ready)d of %(wanted)d ready") % {"ready": found.ready, "wanted": found.wanted}
    return ""


def _autoscaled(objects: Sequence[Object]) -> str:
    """The autoscalers that would set the number again."""
    names = []
    for found in objects[:50]:
        rows = Object.objects.filter(
            cluster=found.cluster,
            kind="HorizontalPodAutoscaler",
            namespace=found.namespace,
            facts__target=f"{found.kind}/{found.name}",
        )
        names += list(rows.values_list("name", flat=True))
    if not names:
        return ""
    return _("These autoscalers set the number again: %(names)s") % {"names": ", ".join(names[:5])}


def _initial(wanted: Act, may: Sequence[Choice]) -> dict[str, Any]:
    if wanted.name == "scale" and may:
        return {"replicas": may[0].object.wanted}
    return {}


def _seen(request: SignedInRequest, choice: Choice) -> dict[str, int]:
    """How many replicas the person saw of it."""
    pairs = dict(pair.split(":", 1) for pair in request.POST.getlist("shown") if ":" in pair)
    number = pairs.get(str(choice.object.pk), "")
    return {"seen": int(number)} if number.isdecimal() and len(number) < 9 else {}


def _offer(request: SignedInRequest, form: Rollback, choice: Choice) -> None:
    """The revisions that the cluster knows; without an answer there is the one before."""
    found = choice.object
    target = Target(found.kind, choice.path, found.namespace, found.name, found.uid)
    try:
        whom = identity.for_reading(request.user, found.cluster)
        with Client(found.cluster.connection, whom, deadline=PATIENCE) as client:
            known = revisions.revisions(client, target)
    except (KubeError, vault.CannotOpen):
        return
    form.offer([(one.number, f"{one.number} · {', '.join(one.images)}") for one in known])
