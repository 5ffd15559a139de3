"""Containers that end though they should go on: memory, exit codes and signals."""

from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why import starts
from clusters.kube.why.around import Around
from clusters.kube.why.cause import CRASH, WAITING, Cause, Evidence, Saying, cause
from clusters.kube.why.container import Status, Terminated, ended, waits
from clusters.kube.why.parts import about, seconds
from clusters.kube.why.pod import Pod

# A container that runs again, but ended badly so short a time ago, is not well yet.
RECENT = 600

OOM_LIMIT = Saying(
    "out_of_memory",
    CRASH,
    sentence(
        "Container %(container)s was killed because it used more memory than its limit of"
        " %(limit)s (OOMKilled)."
    ),
    sentence(
        "Raise the memory limit, or find out why the program needs so much: %(restarts)s"
        " restarts so far."
    ),
)
OOM_NODE = Saying(
    "out_of_memory_node",
    CRASH,
    sentence(
        "Container %(container)s was killed for lack of memory (OOMKilled); it has no"
        " memory limit of its own."
    ),
    sentence(
        "The node, or a limit of the whole pod, ran out of memory: set requests and"
        " limits that fit the program."
    ),
)
COMMAND_MISSING = Saying(
    "exit_127",
    CRASH,
    sentence(
        "Container %(container)s ends with exit code 127: a command that it runs does not"
        " exist in the image."
    ),
    sentence(
        "Check command, args and the script that the image starts; the logs of its last"
        " run name the command."
    ),
)
NOT_EXECUTABLE = Saying(
    "exit_126",
    CRASH,
    sentence(
        "Container %(container)s ends with exit code 126: a command that it runs is there"
        " but may not be executed."
    ),
    sentence(
        "Make the file executable in the image (chmod +x), and check that it is a program"
        " for this architecture."
    ),
)
KILLED = Saying(
    "exit_137",
    CRASH,
    sentence("Container %(container)s was killed by force (exit code 137, SIGKILL)."),
    sentence(
        "Look for a failed liveness probe, a stop that took longer than the grace period,"
        " or the node's lack of memory."
    ),
)
SEGFAULT = Saying(
    "exit_139",
    CRASH,
    sentence(
        "The program in container %(container)s crashed on a bad memory access (exit code"
        " 139, SIGSEGV)."
    ),
    sentence(
        "It is a fault of the program or of a library in the image: read the logs of its"
        " last run, try another version."
    ),
)
ABORTED = Saying(
    "exit_134",
    CRASH,
    sentence("The program in container %(container)s gave up by itself (exit code 134, SIGABRT)."),
    sentence("It found a fault in itself: read the logs of its last run."),
)
TERMINATED = Saying(
    "exit_143",
    CRASH,
    sentence("Container %(container)s was asked to stop and did (exit code 143, SIGTERM)."),
    sentence(
        "Look for a failed liveness probe or for what else stops it; the program itself"
        " did not fail."
    ),
)
SIGNALLED = Saying(
    "exit_signal",
    CRASH,
    sentence(
        "The program in container %(container)s was ended by signal %(signal)s (exit code"
        " %(exit)s)."
    ),
    sentence("Read the logs of its last run."),
)
FAILED = Saying(
    "exit_code",
    CRASH,
    sentence("The program in container %(container)s ends by itself with exit code %(exit)s."),
    sentence(
        "The exit code is the program's own: read the logs of its last run, where it says why."
    ),
)
ENDS_WELL = Saying(
    "exit_0",
    CRASH,
    sentence(
        "The program in container %(container)s ends without an error, though it should"
        " keep running."
    ),
    sentence("Start the program in the foreground; for work that ends, use a Job."),
)
LOST = Saying(
    "container_lost",
    CRASH,
    sentence("It is not known how container %(container)s ended: the node lost sight of it."),
    sentence("Look at the node; the pod's controller makes a new pod."),
)
BACKING_OFF = Saying(
    "crash_loop",
    CRASH,
    sentence(
        "Container %(container)s keeps ending and is started again ever more slowly"
        " (%(restarts)s restarts)."
    ),
    sentence("How it ended is not told any more: read the logs of its last run."),
)
INIT = Saying(
    "init_container",
    WAITING,
    sentence(
        "The pod's own containers wait for the init container %(container)s, which must"
        " end with success first."
    ),
    sentence("Mend the init container; then the others start by themselves."),
)

BY_CODE = {
    126: NOT_EXECUTABLE,
    127: COMMAND_MISSING,
    134: ABORTED,
    137: KILLED,
    139: SEGFAULT,
    143: TERMINATED,
}


def causes(pod: Pod, around: Around) -> Iterator[Cause]:
    """Of each container that ended badly, or ends again and again, how."""
    for status in pod.statuses:
        found = _of(pod, around, status)
        if found is None:
            continue
        yield found
        if pod.is_init(status.name) and not pod.ended:
            yield cause(INIT, about("Pod", pod.metadata), found.evidence, container=status.name)


def _of(pod: Pod, around: Around, status: Status) -> Cause | None:
    end = _end(status, around.now)
    waiting = status.state.waiting
    said: list[Evidence] = [ended(status, end)] if end else []
    looping = waiting is not None and waiting.reason == "CrashLoopBackOff"
    if waiting is not None and looping:
        said.append(waits(status, waiting))
        said += _backing_off(pod, around, status)
    if end is not None and (end.exit_code != 0 or looping):
        return _cause(pod, around, status, end, said)
    if looping:
        about_it = about("Pod", pod.metadata)
        count = status.restart_count
        return cause(BACKING_OFF, about_it, said, container=status.name, restarts=count)
    return None


def _backing_off(pod: Pod, around: Around, status: Status) -> list[Evidence]:
    """The kubelet's event, which says since when the container ends again and again."""
    for event in around.events(pod.metadata, "Pod"):
        mine = event.reason == "BackOff" and event.container in {"", status.name}
        if mine and "restarting" in event.message[:100]:
            return [event.said()]
    return []


def _end(status: Status, now: int) -> Terminated | None:
    """How it ended last, when that is still what matters."""
    if status.state.terminated is not None:
        return status.state.terminated
    last = status.last_state.terminated
    if last is None or status.state.waiting is not None:
        return last
    recent = now - seconds(last.finished_at) < RECENT
    return last if not status.ready or recent else None


def _cause(
    pod: Pod, around: Around, status: Status, end: Terminated, said: list[Evidence]
) -> Cause:
    signal = end.signal or (end.exit_code - 128 if 128 < end.exit_code < 160 else 0)
    saying = starts.saying(end.message, end.reason) or _saying(pod, status, end, signal)
    filled = starts.facts(pod, around, status.name, end.message)
    return cause(
        starts.told(saying, filled),
        about("Pod", pod.metadata),
        said,
        container=status.name,
        exit=end.exit_code,
        signal=signal,
        limit=pod.container(status.name).resources.limits.get("memory", ""),
        restarts=status.restart_count,
        **filled,
    )


def _saying(pod: Pod, status: Status, end: Terminated, signal: int) -> Saying:
    if end.reason == "OOMKilled":
        limited = "memory" in pod.container(status.name).resources.limits
        return OOM_LIMIT if limited else OOM_NODE
    if end.reason == "ContainerStatusUnknown":
        return LOST
    if end.exit_code == 0:
        return ENDS_WELL
    return BY_CODE.get(end.exit_code) or (SIGNALLED if signal else FAILED)
