"""What a pod names and does not get: ConfigMaps, Secrets, keys, volumes, users."""

from itertools import count
from typing import Any

import pytest

from tests.kube.why.around import Surroundings, asked, codes, event, pod, running, told, waiting

ERROR = "CreateContainerConfigError"
ROOT = f'(pod: "web-1_shop({"0" * 8})", container: app)'


def creating(**more: Any) -> Any:
    """A pod whose container is being made on its node."""
    return pod(waiting("ContainerCreating"), phase="Pending", **more)


@pytest.mark.parametrize(
    ("message", "kind", "name", "key"),
    [
        ('configmap "web" not found', "ConfigMap", "web", ""),
        ('secret "db" not found', "Secret", "db", ""),
        ("couldn't find key LEVEL in ConfigMap shop/web", "ConfigMap", "web", "LEVEL"),
        ("couldn't find key password in Secret shop/db", "Secret", "db", "password"),
    ],
)
def test_a_variable_from_what_is_not_there(message: str, kind: str, name: str, key: str) -> None:
    [found] = told(pod(waiting(ERROR, message), phase="Pending"))
    assert found.code == ("config_key_missing" if key else "config_missing")
    facts = found.facts
    assert (facts["kind"], facts["wanted"], facts["key"]) == (kind, name, key)
    assert found.container == "app"


@pytest.mark.parametrize(
    ("message", "kind", "name", "key"),
    [
        ('MountVolume.SetUp failed for volume "conf" : configmap "web" not found', "ConfigMap", "web", ""),
        ('MountVolume.SetUp failed for volume "cert" : secret "tls" not found', "Secret", "tls", ""),
        ('MountVolume.SetUp failed for volume "conf" : configmap references non-existent config key: a.yaml', "ConfigMap", "of-conf", "a.yaml"),
        ('MountVolume.SetUp failed for volume "cert" : references non-existent secret key: tls.crt', "Secret", "of-cert", "tls.crt"),
    ],
    ids=count(),
)  # fmt: skip
def test_a_volume_of_what_is_not_there(message: str, kind: str, name: str, key: str) -> None:
    volumes = [
        {"name": "conf", "configMap": {"name": "of-conf", "defaultMode": 420}},
        {"name": "cert", "secret": {"secretName": "of-cert", "defaultMode": 420}},
    ]
    late = "Unable to attach or mount volumes: unmounted volumes=[conf], unattached volumes=[], failed to process volumes=[]: timed out waiting for the condition"
    around = Surroundings(event("FailedMount", message), event("FailedMount", late, ago=3))
    found = told(creating(spec={"volumes": volumes}), around)[0]
    facts = found.facts
    assert (facts["kind"], facts["wanted"], facts["key"]) == (kind, name, key)


def test_what_is_known_of_the_names_makes_it_clearer() -> None:
    body = pod(waiting(ERROR, 'configmap "web-confg" not found'), phase="Pending")
    around = Surroundings()
    assert asked(body, around) == [("ConfigMap", "web-confg")]
    around.none("ConfigMap", "web-confg")
    assert asked(body, around) == [("ConfigMaps", "")]
    around.list("ConfigMaps", "", *({"metadata": {"name": n}} for n in ("other", "web-config")))
    assert asked(body, around) == []
    [found] = told(body, around)
    assert found.what.endswith("does not exist in namespace shop; there is one named web-config.")


def test_the_keys_that_there_are_come_from_the_metadata_alone() -> None:
    fields: Any = {"f:data": {".": {}, "f:user": {}, "f:pass": {}}, "f:type": {}}
    managed = [{"manager": "kubectl", "operation": "Update", "fieldsV1": fields}]
    secret = {"metadata": {"name": "db", "managedFields": managed}}
    body = pod(waiting(ERROR, "couldn't find key password in Secret shop/db"), phase="Pending")
    [found] = told(body, Surroundings().object("Secret", "db", secret))
    assert found.what == (
        "The Secret db has no key password, which the pod needs; its keys are: pass, user."
    )


def test_what_exists_by_now_is_told_so() -> None:
    body = pod(waiting(ERROR, 'secret "db" not found'), phase="Pending")
    [found] = told(body, Surroundings().object("Secret", "db", {"metadata": {"name": "db"}}))
    assert "exists by now" in found.what


def test_events_about_mounts_are_past_once_the_pod_runs() -> None:
    words = 'MountVolume.SetUp failed for volume "conf" : configmap "web" not found'
    well = {"conditions": [{"type": "Ready", "status": "True"}]}
    around = Surroundings(event("FailedMount", words, ago=20))
    assert codes(pod(running(ready=True), status=well), around) == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (f"container has runAsNonRoot and image will run as root {ROOT}", "runs_as_root"),
        (f"container's runAsUser breaks non-root policy {ROOT}", "runs_as_root"),
        (f"container has runAsNonRoot and image has non-numeric user (node), cannot verify user is non-root {ROOT}", "user_not_numeric"),
        ('failed to prepare subPath for volumeMount "data" of container "app"', "config_failed"),
    ],
    ids=count(),
)  # fmt: skip
def test_what_the_security_context_forbids(message: str, code: str) -> None:
    [found] = told(pod(waiting(ERROR, message), phase="Pending"))
    assert found.code == code
    if code == "user_not_numeric":
        assert "the image's user node is root" in found.what


@pytest.mark.parametrize(
    ("reason", "message", "code"),
    [
        ("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-0', "volume_in_use"),
        ("FailedAttachVolume", 'Waiting for detach for volume "pvc-1" Volume is already used by pod(s) web-0', "volume_in_use"),
        ("FailedAttachVolume", 'AttachVolume.Attach failed for volume "pvc-1" : rpc error: code = Internal desc = Could not attach volume "vol-1"', "volume_not_attached"),
        ("FailedMount", 'MountVolume.MountDevice failed for volume "pvc-1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ebs.csi.aws.com not found in the list of registered CSI drivers', "volume_driver_missing"),
        ("FailedMount", 'MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32 Mounting command: mount Output: mount.nfs: access denied by server while mounting nas:/export', "volume_denied"),
        ("FailedMount", 'MountVolume.SetUp failed for volume "logs" : hostPath type check failed: /srv/logs is not a directory', "volume_host_path"),
        ("FailedMount", 'MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32', "volume_not_mounted"),
        ("FailedMount", "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[]: timed out waiting for the condition", "volume_late"),
        ("FailedCreatePodSandBox", 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "5f": plugin type="calico" failed (add): error getting ClusterInformation', "pod_network_failed"),
        ("FailedCreatePodSandBox", 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "5f": plugin type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to container', "pod_no_address"),
        ("FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to reserve sandbox name", "pod_sandbox_failed"),
    ],
    ids=count(),
)  # fmt: skip
def test_what_keeps_a_pod_from_being_set_up(reason: str, message: str, code: str) -> None:
    [found] = told(creating(), Surroundings(event(reason, message)))
    assert found.code == code
    assert found.evidence[0].place == reason
    if code == "volume_in_use":
        assert "web-0" in found.what
