"""Containers that the node refuses to make, for what their security context demands or else."""

import re
from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why import config
from clusters.kube.why.around import Around
from clusters.kube.why.cause import LONGEST_READ, START, Cause, Saying, cause
from clusters.kube.why.container import waits
from clusters.kube.why.parts import about
from clusters.kube.why.pod import Pod

_USER = re.compile(r"non-numeric user \(([^)]{1,200})\)")

ROOT = Saying(
    "runs_as_root",
    START,
    sentence("Container %(container)s must not run as root (runAsNonRoot), but its image does."),
    sentence(
        "Set runAsUser to a number other than 0 in the securityContext, or USER in the image."
    ),
)
ROOT_ASKED = Saying(
    "runs_as_root",
    START,
    sentence(
        "Container %(container)s must not run as root (runAsNonRoot), but its"
        " securityContext says runAsUser: 0."
    ),
    sentence("Set runAsUser to a number other than 0."),
)
NAMED_USER = Saying(
    "user_not_numeric",
    START,
    sentence(
        "Container %(container)s must not run as root (runAsNonRoot), and the node cannot"
        " tell whether the image's user %(user)s is root."
    ),
    sentence(
        "Set runAsUser to the number of that user, or write it as a number in the image (USER)."
    ),
)
PROFILE = Saying(
    "security_profile",
    START,
    sentence(
        "The node does not have the AppArmor or seccomp profile that container"
        " %(container)s demands."
    ),
    sentence("Load the profile on the nodes, or choose another one in the securityContext."),
)


def causes(pod: Pod, around: Around) -> Iterator[Cause]:
    """Of each container that the node refuses to make, why."""
    for status in pod.statuses:
        waiting = status.state.waiting
        if waiting is None or waiting.reason not in {config.REASON, "CreateContainerError"}:
            continue
        found = _saying(waiting.message[:LONGEST_READ])
        named = any(name == status.name for _, name, _ in config.missing(pod, around))
        if found is None and (named or waiting.reason != config.REASON):
            continue
        user = _USER.search(waiting.message[:LONGEST_READ])
        yield cause(
            found or config.FAILED,
            about("Pod", pod.metadata),
            [waits(status, waiting)],
            container=status.name,
            user=user[1] if user else "",
        )


def refuses(message: str) -> bool:
    """Whether a message speaks of a security context."""
    return _saying(message[:LONGEST_READ]) is not None


def _saying(message: str) -> Saying | None:
    if "runAsNonRoot and image has non-numeric user" in message:
        return NAMED_USER
    if "runAsNonRoot and image will run as root" in message:
        return ROOT
    if "runAsUser breaks non-root policy" in message:
        return ROOT_ASKED
    lower = message.lower()
    missing = "apparmor" in lower or "seccomp" in lower
    return PROFILE if missing and ("not" in lower or "no such" in lower) else None
