"""The account that MCM asks for, as a manifest to apply and the commands to use it."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clusters.forms import ManifestForm
from clusters.kube import manifest as kube
from clusters.services import kinds
from teams import access
from teams.views import SignedInRequest, fragment

PAGE = "clusters/manifest.html"


@require_GET
def manifest(request: SignedInRequest) -> HttpResponse:
    """The manifest with the chosen features; `?download` gives it as a file.

    `?cluster=` adds what that cluster's custom resources that are turned on need.
    """
    access.require_platform_admin(request.user)
    form = ManifestForm(request.GET if "features" in request.GET else None)
    features = form.cleaned_data["features"] if form.is_valid() else list(form.usual)
    cluster = request.GET.get("cluster", "")
    custom = kinds.turned_on(request.user, cluster)
    text = kube.manifest(features, custom)
    if "download" in request.GET:
        headers = {"Content-Disposition": 'attachment; filename="mcm.yaml"'}
        return HttpResponse(text, content_type="text/yaml; charset=utf-8", headers=headers)
    steps = [
        (_("Apply it, as an admin of the cluster"), kube.APPLY),
        (_("Get a token; how long it lasts is the cluster's to limit"), kube.TOKEN),
        (_("Or a token without an end, which the cluster keeps in a Secret"), kube.LASTING_TOKEN),
        (_("Make the kubeconfig of it and of the context that kubectl uses"), kube.KUBECONFIG),
    ]
    context = {
        "form": form if form.is_bound else ManifestForm(initial={"features": features}),
        "manifest": text,
        "features": features,
        "cluster": cluster,
        "commands": [{"title": title, "text": text} for title, text in steps],
    }
    return fragment(request, PAGE, "manifest", context)
