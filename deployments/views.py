"""Pages of releases: the list, one release, installing and uninstalling."""

from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clusters.models import Cluster, Namespace
from deployments import helm, services, store
from deployments.forms import InstallForm, UninstallForm
from deployments.models import Release
from operations.models import Operation
from operations.services import Held
from teams import access
from teams.roles import Action
from teams.views import SignedInRequest, form_page, fragment, go

LIST = "deployments/list.html"
DETAIL = "deployments/detail.html"
INSTALL = "deployments/install.html"
UNINSTALL = "deployments/uninstall.html"
MOST = 500


@require_GET
def releases(request: SignedInRequest) -> HttpResponse:
    """Releases of every cluster, or of the one that `?cluster=` names."""
    q, name = request.GET.get("q", ""), request.GET.get("cluster", "")
    rows = store.search(store.releases(request.user), q)
    if name:
        rows = rows.filter(cluster__name=name)
    context = {
        "releases": rows[:MOST],
        "total": rows.count(),
        "clusters": access.visible(request.user, Cluster).select_related("release_list"),
        "chosen": name,
        "q": q,
        "may_install": access.may_anywhere(request.user, Action.OPERATE, Cluster, Namespace),
    }
    return fragment(request, LIST, "table", context)


@require_GET
def detail(request: SignedInRequest, pk: UUID) -> HttpResponse:
    release = access.get_or_404(request.user, Release, pk)
    work = access.visible(request.user, Operation).filter(
        cluster=release.cluster, namespace=release.namespace, target=release.name
    )
    context = {
        "release": release,
        "operations": work.select_related("requested_by")[:20],
        "may_operate": access.may(request.user, Action.OPERATE, release),
    }
    return fragment(request, DETAIL, "state", context)


@require_http_methods(["GET", "POST"])
def install(request: SignedInRequest) -> HttpResponse:
    """The form; what was filled in stays when something is refused."""
    access.require_anywhere(request.user, Action.OPERATE, Cluster, Namespace)
    form = InstallForm(
        request.POST or None,
        request.FILES or None,
        user=request.user,
        initial={"cluster": _named_cluster(request)},
    )
    if form.is_valid():
        operation = _request_install(request, form)
        if operation is not None:
            return go(request, reverse("operation-detail", args=[operation.pk]))
    return form_page(request, INSTALL, {"form": form}, invalid=bool(form.errors))


def _named_cluster(request: SignedInRequest) -> Cluster | None:
    """The one that `?cluster=` names, where there is one to be seen."""
    name = request.GET.get("cluster", "")
    return access.visible(request.user, Cluster).filter(name=name).first()


def _request_install(request: SignedInRequest, form: InstallForm) -> Operation | None:
    """Queues what the form asks for; None when it was refused, then the form says why."""
    data = form.cleaned_data
    try:
        chart = data["chart"] or services.upload_chart(data["archive"], by=request.user)
        wanted = services.InstallRequest(
            cluster=data["cluster"],
            namespace=data["namespace"],
            name=data["name"],
            chart=chart,
            values=data["values"],
            wait=data["wait"],
            timeout=data["timeout"],
        )
        return services.request_install(wanted, by=request.user)
    except helm.BadChart as error:
        form.add_error("archive", services.explain(error))
    except helm.InvalidName as error:
        form.add_error(error.field, services.explain(error))
    except Held:
        form.add_error("name", _("Another operation works on this release. Wait for its end."))
    return None


@require_http_methods(["GET", "POST"])
def uninstall(request: SignedInRequest, pk: UUID) -> HttpResponse:
    release = access.get_or_404(request.user, Release, pk, Action.OPERATE)
    form = UninstallForm(request.POST or None, release=release)
    if form.is_valid():
        try:
            operation = services.request_uninstall(
                release, keep_history=form.cleaned_data["keep_history"], by=request.user
            )
        except Held as held:
            return go(request, reverse("operation-detail", args=[held.operation.pk]))
        return go(request, reverse("operation-detail", args=[operation.pk]))
    harmed = {
        "kind": _("Release"),
        "name": release.name,
        "namespace": release.namespace,
        "cluster": release.cluster.name,
        "environment": release.cluster.environment,
        "environment_label": release.cluster.get_environment_display(),
    }
    context = {"release": release, "form": form, "objects": [harmed]}
    return form_page(request, UNINSTALL, context, invalid=bool(form.errors))
