"""The page of a terminal; the shell itself comes by a socket."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clusters.kube import proxied
from clusters.kube.shell import SHELLS
from clusters.models import Environment, Object
from clusters.services import looking
from explorer.access import Ended
from explorer.filters.logs import LOGGED, LogQuery, select
from explorer.filters.paths import list_path, object_path
from explorer.filters.words import title
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest

PAGE = "explorer/terminal.html"
CHOICE = "explorer/terminal_choice.html"
# Those that phones have not.
KEYS = (
    *(("Escape", "Esc"), ("Tab", "Tab"), ("c", "Ctrl C"), ("d", "Ctrl D")),
    *(("Up", "↑"), ("Down", "↓"), ("Left", "←"), ("Right", "→")),
)


@require_GET
def terminal(request: SignedInRequest, pk: int) -> HttpResponse:
    """In the pod, or in one of the pods of a workload: `?pod=` names another than the first."""
    found = access.get_or_404(request.user, Object, pk, Action.OPERATE)
    pods = _pods(request, found)
    wanted = request.GET.get("pod", "")
    pod = next((each for each in pods if str(each.pk) == wanted), next(iter(pods), None))
    context: dict[str, Any] = {
        "object": found,
        "pods": pods,
        "pod": pod,
        "container": request.GET.get("container", ""),
        "title": title(found.kind),
        "list_path": list_path(found.kind),
        "object_path": object_path(found.kind, found.pk),
        "is_prod": found.cluster.environment == Environment.PROD,
        "context": proxied.context(found.cluster.name),
        "keys": KEYS,
    }
    return render(request, PAGE, context)


@require_GET
def containers(request: SignedInRequest, pk: int) -> HttpResponse:
    """The containers of a pod, to choose from; read live."""
    pod = access.get_or_404(request.user, Object, pk, Action.OPERATE)
    if pod.kind != "Pod":
        raise Http404
    context: dict[str, Any] = {"pod": pod, "shells": _shells()}
    try:
        read = looking.containers(request.user, pod)
    except looking.FAILURES as error:
        context["failure"] = looking.failure(error)
    else:
        wanted = request.GET.get("container", "")
        names = {each.name for each in read.all if each.is_running}
        context |= {
            "containers": read.all,
            "chosen": wanted if wanted in names else read.default,
            "none_runs": not names,
        }
    return render(request, CHOICE, context)


def _pods(request: SignedInRequest, found: Object) -> list[Object]:
    """Those that run first. Raises Http404 for what has no pods."""
    if found.kind == "Pod":
        return [found]
    if found.kind not in LOGGED:
        raise Http404
    try:
        pods = select(request.user, LogQuery(keys=(found.pk,))).pods
    except Ended as ended:
        raise Http404 from ended
    return sorted(pods, key=lambda pod: (pod.status != "Running", pod.health != "healthy"))


def _shells() -> list[tuple[str, str]]:
    words = {"": _("bash, or else sh")}
    return [(name, words.get(name, name)) for name in SHELLS]
