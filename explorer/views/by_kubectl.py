"""What people do with a pod by kubectl, as commands to copy."""

from django.utils.translation import gettext as _

from clusters.kube import proxied
from clusters.models import Object

# Words, the command, and what is to be known of it.
Command = tuple[str, str, str]


def commands(pod: Object) -> list[Command]:
    """With the kubeconfig of MCM, as far as its proxy passes them on."""
    within = f"--namespace {pod.namespace}"
    mcm = f"kubectl --context {proxied.context(pod.cluster.name)} {within}"
    forwarding = _(
        "MCM forwards no ports yet: it refuses this with its own kubeconfig. It takes one that"
        " leads to the cluster itself."
    )
    return [
        (_("A file from the pod"), f"{mcm} cp {pod.name}:PATH/IN/POD ./FILE", ""),
        (_("A file into the pod"), f"{mcm} cp ./FILE {pod.name}:PATH/IN/POD", ""),
        (
            _("A port of the pod"),
            f"kubectl {within} port-forward pod/{pod.name} 8080:80",
            forwarding,
        ),
    ]
