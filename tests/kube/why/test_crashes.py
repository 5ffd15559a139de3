"""Containers that end or cannot be started, as containerd, CRI-O and kubelets tell it."""

from itertools import count

import pytest

from clusters.kube.why.parts import seconds
from tests.kube.why.around import (
    UID,
    Surroundings,
    at,
    codes,
    ended,
    event,
    looping,
    node,
    pod,
    running,
    told,
    waiting,
)

RUNC = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init"


def test_a_container_that_needs_more_memory_than_its_limit() -> None:
    limited = {"resources": {"limits": {"memory": "256Mi"}}}
    [found] = told(pod(looping(137, "OOMKilled"), container=limited))
    assert found.code == "out_of_memory"
    assert "more memory than its limit of 256Mi" in found.what
    assert "7 restarts" in found.todo
    assert [each.place for each in found.evidence] == [
        "app.lastState.terminated",
        "app.state.waiting",
    ]
    assert found.evidence[0].text == "exitCode 137, OOMKilled"
    assert found.evidence[0].at > found.since > 0


def test_since_when_a_container_crashes_is_told_by_the_kubelets_event() -> None:
    words = f"Back-off restarting failed container app in pod web-1_shop({UID})"
    [found] = told(pod(looping(1)), Surroundings(event("BackOff", words, container="app")))
    assert found.since == found.evidence[2].since == seconds(at(9))
    once = {"name": "app", "ready": False, "restartCount": 0, "state": ended(1)}
    [found] = told(pod(once, phase="Failed"))
    assert found.since == found.evidence[0].at == seconds(at(1))


def test_a_container_without_a_limit_that_ran_out_of_memory() -> None:
    assert codes(pod(looping(137, "OOMKilled"))) == ["out_of_memory_node"]


@pytest.mark.parametrize(
    ("code", "reason", "message", "told_as"),
    [
        (1, "Error", "", "exit_code"),
        (2, "Error", "panic: no database", "exit_code"),
        (126, "Error", "", "exit_126"),
        (127, "Error", "", "exit_127"),
        (134, "Error", "", "exit_134"),
        (137, "Error", "", "exit_137"),
        (139, "Error", "", "exit_139"),
        (143, "Error", "", "exit_143"),
        (136, "Error", "", "exit_signal"),
        (0, "Completed", "", "exit_0"),
        (137, "ContainerStatusUnknown", "The container could not be located when the pod was terminated", "container_lost"),
        (128, "StartError", f'{RUNC}: exec: "/app/srv": stat /app/srv: no such file or directory', "command_not_found"),
        (128, "StartError", f'{RUNC}: exec: "srv": executable file not found in $PATH', "command_not_found"),
        (128, "StartError", f'{RUNC}: exec: "/app/run.sh": permission denied', "command_not_executable"),
        (128, "StartError", f"{RUNC}: exec /app/srv: exec format error", "exec_format"),
        (128, "StartError", f'{RUNC}: error mounting "/var/lib/kubelet/pods/x/volumes/c" to rootfs at "/etc/app": not a directory', "container_mount_failed"),
        (128, "StartError", 'failed to create containerd task: failed to create shim: OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:545: container init caused: rootfs_linux.go:75: mounting "cgroup" to rootfs at "/sys/fs/cgroup" caused: stat /sys/fs/cgroup', "container_start_failed"),
        (128, "StartError", f"{RUNC}: open /proc/self/attr: input/output error", "container_start_failed"),
        (127, "ContainerCannotRun", 'OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "/app/run": stat /app/run: no such file or directory: unknown', "command_not_found"),
        (255, "Error", "exec /app/srv: exec format error", "exec_format"),
        (1, "Error", 'open "/data/lock": read-only file system', "read_only_file_system"),
        (1, "Error", "mkdir: cannot create directory '/data': Permission denied", "permission_denied"),
    ],
    ids=count(),
)  # fmt: skip
def test_how_a_container_ended(code: int, reason: str, message: str, told_as: str) -> None:
    [found] = told(pod(looping(code, reason, message)))
    assert found.code == told_as
    assert f"exitCode {code}, {reason}" in found.evidence[0].text


def test_the_command_that_does_not_exist_is_named() -> None:
    message = f'{RUNC}: exec: "srv": executable file not found in $PATH'
    [found] = told(pod(looping(128, "StartError", message)))
    assert found.what == "The command srv of container app does not exist in its image."
    escaped = message.replace('"', '\\"')
    [found] = told(pod(looping(128, "StartError", escaped)))
    assert found.facts["command"] == "srv"


def test_a_program_for_another_processor_is_told_with_the_nodes() -> None:
    body = pod(looping(255, "Error", "exec /app/srv: exec format error"))
    [found] = told(body, Surroundings().object("node", "n1", node()))
    assert "the node's arm64" in found.what


@pytest.mark.parametrize(
    ("reason", "message", "code"),
    [
        ("RunContainerError", f'{RUNC}: exec: "srv": executable file not found in $PATH: unknown', "command_not_found"),
        ("CreateContainerError", 'failed to reserve container name "app_web-1_shop_0": name "app_web-1_shop_0" is reserved for "5f"', "runtime_busy"),
        ("CreateContainerError", "context deadline exceeded", "runtime_busy"),
        ("CreateContainerError", "Error: container create failed: creating `/run/secrets`: openat2 `secrets`: Read-only file system", "read_only_file_system"),
        ("PostStartHookError", 'Exec lifecycle hook ([/bin/hook]) for Container "app" in Pod "web-1_shop" failed - error: command \'/bin/hook\' exited with 126', "post_start_hook_failed"),
        ("CreateContainerError", "failed to generate spec: unheard of", "container_start_failed"),
    ],
    ids=count(),
)  # fmt: skip
def test_a_container_that_cannot_be_started(reason: str, message: str, code: str) -> None:
    assert codes(pod(waiting(reason, message), phase="Pending")) == [code]


def test_an_init_container_that_fails_is_told_before_what_waits_for_it() -> None:
    body = pod(
        waiting("PodInitializing"),
        phase="Pending",
        spec={"initContainers": [{"name": "migrate", "image": "m:1"}]},
        status={"initContainerStatuses": [looping(1, name="migrate")]},
    )
    found = told(body)
    assert [(each.code, each.container) for each in found] == [
        ("exit_code", "migrate"),
        ("init_container", "migrate"),
    ]


def test_a_sidecar_is_no_init_container_that_others_wait_for() -> None:
    body = pod(
        running(ready=True),
        spec={"initContainers": [{"name": "proxy", "image": "p:1", "restartPolicy": "Always"}]},
        status={"initContainerStatuses": [looping(1, name="proxy")]},
    )
    assert codes(body) == ["exit_code"]


def test_a_container_that_ended_long_ago_and_runs_well_is_left_alone() -> None:
    well = {"conditions": [{"type": "Ready", "status": "True"}]}
    for ago, expected in ((30, []), (1, ["exit_code"])):
        again = running(ready=True, restartCount=3, lastState=ended(1, ago=ago))
        assert codes(pod(again, status=well)) == expected


def test_a_loop_of_which_nothing_is_known_any_more() -> None:
    words = "back-off 5m0s restarting failed container=app pod=web-1_shop"
    [found] = told(pod(waiting("CrashLoopBackOff", words, restartCount=9)))
    assert (found.code, found.facts["restarts"]) == ("crash_loop", "9")


def test_a_pod_that_has_done_its_work_has_no_cause() -> None:
    done = {"name": "app", "ready": False, "restartCount": 0, "state": ended(0, "Completed")}
    assert codes(pod(done, phase="Succeeded")) == []


def test_a_pod_that_failed_once_and_for_all() -> None:
    failed = {"name": "app", "ready": False, "restartCount": 0, "state": ended(3)}
    [found] = told(pod(failed, phase="Failed"))
    assert (found.code, found.facts["exit"]) == ("exit_code", "3")


def test_what_a_liveness_probe_did_is_told_as_the_probes() -> None:
    body = pod(looping(137), container={"livenessProbe": {"tcpSocket": {"port": 8080}}})
    assert codes(body) == ["exit_137"]
    failed = "Liveness probe failed: dial tcp 10.1.2.3:8080: connect: connection refused"
    killed = "Container app failed liveness probe, will be restarted"
    around = Surroundings(
        event("Unhealthy", failed, container="app"),
        event("Killing", killed, container="app", warning=False),
    )
    [found] = told(body, around)
    assert found.code == "liveness_failed"
    assert [each.place for each in found.evidence] == ["Unhealthy", "Killing"]


def test_times_without_a_value_are_no_hindrance() -> None:
    body = pod(looping(1))
    body["status"]["containerStatuses"][0]["lastState"]["terminated"]["startedAt"] = None
    body["status"]["containerStatuses"][0]["lastState"]["terminated"]["finishedAt"] = None
    body["metadata"]["creationTimestamp"] = None
    [found] = told(body)
    body["status"]["conditions"] = []
    [found] = told(body)
    assert (found.code, found.since) == ("exit_code", 0)
    assert at(0) == "2026-11-28T12:00:00Z"
