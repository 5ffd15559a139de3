"""Images that cannot be pulled: what kubelets and container runtimes say of it."""

import re
from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import START, Cause, Evidence, Saying, cause, first
from clusters.kube.why.container import Status, waits
from clusters.kube.why.parts import Event, about
from clusters.kube.why.pod import Pod

REASONS = frozenset(
    {
        *("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"),
        *("ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"),
    }
)
_SECRETS = re.compile(r"Unable to retrieve some image pull secrets \(([^)]{1,1000})\)")

BAD_NAME = Saying(
    "image_bad_name",
    START,
    sentence("The image name %(image)s of container %(container)s is not valid."),
    sentence("Mend the image name: registry/repository:tag, the repository in small letters."),
)
NEVER = Saying(
    "image_never_pulled",
    START,
    sentence(
        "The image %(image)s is not on the node, and container %(container)s must not"
        " pull it (imagePullPolicy: Never)."
    ),
    sentence("Set imagePullPolicy to IfNotPresent, or load the image on the node."),
)
LIMITED = Saying(
    "image_rate_limited",
    START,
    sentence("The registry %(registry)s refuses %(image)s for now: too many pulls (rate limit)."),
    sentence("Wait, or pull with an account of the registry (imagePullSecrets) or from a mirror."),
)
PLATFORM = Saying(
    "image_other_platform",
    START,
    sentence("The image %(image)s does not exist for the architecture of the node."),
    sentence(
        "Build the image for this architecture too, or choose nodes with a nodeSelector"
        " on kubernetes.io/arch."
    ),
)
DENIED = Saying(
    "image_denied",
    START,
    sentence(
        "The registry %(registry)s does not let this pod pull %(image)s: the credentials"
        " in %(secrets)s do not suffice, or there is no such repository."
    ),
    sentence(
        "Check the repository's name, and that the secret holds working credentials for"
        " %(registry)s."
    ),
)
DENIED_NOBODY = Saying(
    "image_denied",
    START,
    sentence(
        "The registry %(registry)s does not let this pod pull %(image)s: the pod names no"
        " imagePullSecrets, or there is no such repository."
    ),
    sentence(
        "Check the repository's name; if it is private, make a secret with credentials"
        " for %(registry)s and name it in imagePullSecrets."
    ),
)
DISK_FULL = Saying(
    "image_disk_full",
    START,
    sentence("The node has no disk space left for the image %(image)s."),
    sentence("Free disk space on the node, or let the pod run on another one."),
)
UNTRUSTED = Saying(
    "image_registry_untrusted",
    START,
    sentence(
        "The node does not trust the certificate of the registry %(registry)s, or that"
        " does not speak HTTPS."
    ),
    sentence(
        "Give the nodes' container runtime the registry's CA, or set the registry up with"
        " a valid certificate."
    ),
)
UNREACHABLE = Saying(
    "image_registry_unreachable",
    START,
    sentence("The node cannot reach the registry %(registry)s to pull %(image)s."),
    sentence(
        "Check the registry's name, and that nodes can resolve and reach it (DNS, firewall, proxy)."
    ),
)
SIGNATURE = Saying(
    "image_bad_signature",
    START,
    sentence("The signature of the image %(image)s is not accepted by the node's policy."),
    sentence("Sign the image with a key that the policy trusts, or use a signed one."),
)
NOT_FOUND = Saying(
    "image_not_found",
    START,
    sentence("The image %(image)s does not exist in the registry %(registry)s."),
    sentence("Check the image's name and tag, and that it was pushed."),
)
FAILED = Saying(
    "image_pull_failed",
    START,
    sentence("The image %(image)s of container %(container)s cannot be pulled."),
    sentence("The message of the container runtime beside this says why."),
)
NO_SECRET = Saying(
    "image_secret_missing",
    START,
    sentence("The image pull secrets %(secrets)s do not exist in this namespace."),
    sentence(
        "Make them here (secrets do not cross namespaces), or take them out of imagePullSecrets."
    ),
)

TABLE = (
    (BAD_NAME, r"invalid reference format|couldn't parse image name|^InvalidImageName"),
    (NEVER, r"ErrImageNeverPull|pull policy of Never"),
    (LIMITED, r"toomanyrequests|429 Too Many Requests|rate limit"),
    (PLATFORM, r"no match for platform|no matching manifest for|for architecture \""),
    (SIGNATURE, r"SignatureValidationFailed|signature validation failed"),
    (DISK_FULL, r"no space left on device"),
    (UNTRUSTED, r"x509:|gave HTTP response to HTTPS client|tls: "),
    (DENIED, r"pull access denied|requested access to the resource is denied|insufficient_scope"
             r"|40[13] (Unauthorized|Forbidden)|unauthorized|authentication required"
             r"|no basic auth credentials|failed to fetch (oauth|anonymous) token|access denied"),
    (NOT_FOUND, r"manifest unknown|name unknown|404 Not Found|code = NotFound|: not found"),
    (UNREACHABLE, r"RegistryUnavailable|registry is unavailable|no such host|i/o timeout"
                  r"|connection (refused|reset)|deadline exceeded|(network is|host) unreachable"
                  r"|no route to host|handshake timeout|name resolution|server misbehaving"
                  r"|50[0234] |: EOF$|Client.Timeout"),
)  # fmt: skip


def causes(pod: Pod, around: Around) -> Iterator[Cause]:
    """Of each container whose image cannot be pulled, why."""
    for status in pod.statuses:
        waiting = status.state.waiting
        if waiting is not None and waiting.reason in REASONS:
            event = _event(pod, around, status)
            said = [waits(status, waiting)] + ([event.said()] if event else [])
            words = f"{waiting.reason}: {waiting.message}"
            words += f"\n{event.message}" if event else ""
            yield _cause(pod, around, status, first(TABLE, words) or FAILED, said)


def _event(pod: Pod, around: Around, status: Status) -> Event | None:
    """The newest event with the runtime's own words: older kubelets leave them out of the state."""
    for event in around.events(pod.metadata, "Pod"):
        pulled = event.message.startswith(("Failed to pull image", "Failed to inspect image"))
        if pulled and event.container in {"", status.name}:
            return event
    return None


def _cause(pod: Pod, around: Around, status: Status, saying: Saying, said: list[Evidence]) -> Cause:
    image = pod.container(status.name).image or status.image
    secrets = ", ".join(each.name for each in pod.spec.image_pull_secrets)
    if saying is DENIED:
        for event in around.events(pod.metadata, "Pod"):
            if found := _SECRETS.match(event.message[:2000]):
                saying, secrets, said = NO_SECRET, found[1], [event.said(), *said]
                break
        else:
            saying = DENIED if secrets else DENIED_NOBODY
    return cause(
        saying,
        about("Pod", pod.metadata),
        said,
        container=status.name,
        image=image,
        registry=registry(image),
        secrets=secrets,
    )


def registry(image: str) -> str:
    """The registry of an image, as container runtimes read its name."""
    before, slash, _ = image.partition("/")
    is_host = slash and ("." in before or ":" in before or before == "localhost")
    return before if is_host else "docker.io"
