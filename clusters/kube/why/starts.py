"""Containers that cannot be started, or are kept from what they need to do: what runtimes say."""

import re
from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import LONGEST_READ, START, Cause, Saying, cause, first
from clusters.kube.why.container import waits
from clusters.kube.why.neighbours import Node
from clusters.kube.why.parts import about
from clusters.kube.why.pod import Pod

REASONS = frozenset(
    {
        *("CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun"),
        *("PostStartHookError", "PreStartHookError", "PreCreateHookError"),
    }
)
_COMMAND = re.compile(r'exec: \\?"([^"\\]{1,300})|exec (/[^\s:]{1,300})')

FORMAT = Saying(
    "exec_format",
    START,
    sentence(
        "The program of container %(container)s was built for another kind of processor"
        " than the node has (exec format error)."
    ),
    sentence(
        "Build the image for this architecture, or choose nodes with a nodeSelector on"
        " kubernetes.io/arch; a script needs its first line (#!)."
    ),
)
FORMAT_ON = FORMAT._replace(
    words=sentence(
        "The program of container %(container)s was built for another kind of processor"
        " than the node's %(architecture)s (exec format error)."
    )
)
NOT_FOUND = Saying(
    "command_not_found",
    START,
    sentence("The command %(command)s of container %(container)s does not exist in its image."),
    sentence(
        "Check command in the pod's template and ENTRYPOINT of the image; a script's"
        " interpreter (#!) must be in the image too."
    ),
)
DENIED = Saying(
    "command_not_executable",
    START,
    sentence(
        "The command %(command)s of container %(container)s may not be executed"
        " (permission denied)."
    ),
    sentence(
        "Make the file executable in the image (chmod +x), readable for the user that the"
        " container runs as."
    ),
)
READ_ONLY = Saying(
    "read_only_file_system",
    START,
    sentence("Container %(container)s fails because it writes to a read-only file system."),
    sentence(
        "Mount a volume (emptyDir) where the program writes, or set"
        " readOnlyRootFilesystem to false."
    ),
)
NOT_PERMITTED = Saying(
    "permission_denied",
    START,
    sentence(
        "The last words of container %(container)s are about something that it may not do"
        " (permission denied)."
    ),
    sentence(
        "Check runAsUser, fsGroup and the capabilities of its securityContext against"
        " what the program needs."
    ),
)
MOUNT = Saying(
    "container_mount_failed",
    START,
    sentence(
        "A volume cannot be mounted into container %(container)s: the place in the image"
        " does not fit it."
    ),
    sentence(
        "Check mountPath and subPath: a file can only be mounted on a file, a folder on a folder."
    ),
)
BUSY = Saying(
    "runtime_busy",
    START,
    sentence(
        "The container runtime of the node does not get container %(container)s made in time."
    ),
    sentence("Look at the node: its disk or its container runtime is overloaded or hangs."),
)
HOOK = Saying(
    "post_start_hook_failed",
    START,
    sentence(
        "The postStart hook of container %(container)s fails, so the container is stopped again."
    ),
    sentence("Mend the hook's command; its message stands beside this."),
)
FAILED = Saying(
    "container_start_failed",
    START,
    sentence("Container %(container)s cannot be started."),
    sentence("The message of the container runtime beside this says why."),
)

# Of a message that says that something could not be started or mounted.
TABLE = (
    (FORMAT, r"exec format error"),
    (MOUNT, r"to rootfs .{0,2000}not a directory|mount a directory onto a file"),
    (NOT_FOUND, r"executable file not found|exec: .{0,400}no such file or directory"
                r"|exec .{0,300}no such file or directory|no command specified"),
    (READ_ONLY, r"read-only file system|EROFS"),
    (DENIED, r"exec: .{0,400}permission denied|exec /.{0,300}permission denied"),
    (BUSY, r"failed to reserve container name|context deadline exceeded|name .{0,300} is reserved"),
)  # fmt: skip
# Of what a program left as its last words.
LAST_WORDS = (
    (FORMAT, r"exec format error"),
    (READ_ONLY, r"read-only file system|EROFS"),
    (NOT_PERMITTED, r"permission denied|EACCES|operation not permitted|EPERM"),
)


def told(found: Saying, filled: dict[str, str]) -> Saying:
    """The saying with the node's architecture, where that is known."""
    return FORMAT_ON if found is FORMAT and filled["architecture"] else found


def saying(message: str, reason: str) -> Saying | None:
    """What the message of an ended container tells; None when it tells nothing known."""
    if reason in REASONS:
        return first(TABLE, message) or FAILED
    return first(LAST_WORDS, message)


def facts(pod: Pod, around: Around, name: str, message: str) -> dict[str, str]:
    """The command of a message and the node's architecture, as far as they are known."""
    found = _COMMAND.search(message[:LONGEST_READ])
    own = pod.container(name).command
    named = (found[1] or found[2]) if found else (own[0] if own else "")
    node: Node | None = around.one("node", pod.spec.node_name)
    return {
        "command": named or "ENTRYPOINT",
        "architecture": node.status.node_info.architecture if node else "",
    }


def causes(pod: Pod, around: Around) -> Iterator[Cause]:
    """Of each container that waits because it cannot be started, why."""
    for status in pod.statuses:
        waiting = status.state.waiting
        if waiting is None or waiting.reason not in REASONS:
            continue
        found = first(TABLE, waiting.message) or FAILED
        if waiting.reason == "PostStartHookError":
            found = HOOK
        filled = facts(pod, around, status.name, waiting.message)
        yield cause(
            told(found, filled),
            about("Pod", pod.metadata),
            [waits(status, waiting)],
            container=status.name,
            **filled,
        )
