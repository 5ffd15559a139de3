"""The kubeconfig of a person for one cluster, by which kubectl goes through MCM."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clusters.models import Cluster
from kubectl import services
from kubectl.forms import KubeconfigForm
from teams import access
from teams.confirmation import confirmed
from teams.services.tokens import Refused
from teams.views import SignedInRequest

PAGE = "kubectl/kubeconfig.html"


@require_http_methods(["GET", "POST"])
@confirmed
def kubeconfig(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """How long its token lasts, then the file: the only place where the token ever stands."""
    cluster = access.get_or_404(request.user, Cluster, pk)
    form = KubeconfigForm(request.POST or None)
    try:
        url = services.address(request.get_host(), secure=request.is_secure())
    except services.NoAddress:
        url = ""
    if form.is_valid() and not url:
        form.add_error(None, _("MCM has no HTTPS address that kubectl could use."))
    elif form.is_valid():
        try:
            return as_file(services.issue(cluster, url, form.lasts, by=request.user), cluster)
        except Refused as error:
            form.add_error(None, str(error))
    context = {"cluster": cluster, "form": form, "url": url}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    page = f"{PAGE}#form" if request.htmx else PAGE
    return render(request, page, context, status=status)


def as_file(text: str, cluster: Cluster) -> HttpResponse:
    """The download, which nobody on the way keeps."""
    name = f"mcm-{cluster.name}.yaml"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return HttpResponse(text, content_type="application/yaml", headers=headers)
