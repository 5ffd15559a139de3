"""Claims that are not bound, and the pods that wait for them."""

from itertools import count
from typing import Any

import pytest

from clusters.kube.why.parts import seconds
from tests.kube.why.around import (
    TERM,
    VOLUMES,
    Surroundings,
    asked,
    at,
    codes,
    event,
    told,
    unplaced,
)

UNBOUND = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
EXTERNAL = "Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."


def claim(phase: str = "Pending", kind: str | None = "fast", **more: Any) -> Any:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": kind, "volumeName": ""}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "shop", "uid": "c1", "creationTimestamp": at(9)},
        "spec": spec | more,
        "status": {"phase": phase},
    }


def of_claim(reason: str, message: str, *, warning: bool = True) -> Any:
    return event(
        reason, message, kind="PersistentVolumeClaim", name="data", uid="c1", warning=warning
    )


@pytest.mark.parametrize(
    ("kind", "said", "code"),
    [
        (None, of_claim("FailedBinding", NO_CLASS, warning=False), "pvc_no_class"),
        ("fast", of_claim("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found'), "pvc_class_missing"),
        ("fast", of_claim("ProvisioningFailed", 'failed to provision volume with StorageClass "fast": rpc error: code = ResourceExhausted desc = quota'), "pvc_provisioning_failed"),
        ("fast", of_claim("ExternalProvisioning", EXTERNAL, warning=False), "pvc_waits_for_provisioner"),
        ("fast", of_claim("WaitForFirstConsumer", "waiting for first consumer to be created before binding", warning=False), "pvc_waits_for_pod"),
        ("fast", of_claim("Something", "else"), "pvc_unbound"),
    ],
    ids=count(),
)  # fmt: skip
def test_a_claim_that_is_not_bound_and_the_pod_that_waits_for_it(
    kind: str | None, said: Any, code: str
) -> None:
    body = claim(kind=kind)
    [found] = told(body, Surroundings(said))
    assert (found.code, found.kind, found.name) == (code, "PersistentVolumeClaim", "data")
    assert found.since == seconds(at(9))
    waits = unplaced(UNBOUND, volumes=VOLUMES)
    around = Surroundings(said).object("claim", "data", body)
    assert sorted(codes(waits, around)) == sorted([code, "pending_pvc"])


def test_what_is_asked_about_claims() -> None:
    waits = unplaced(UNBOUND, volumes=VOLUMES)
    around = Surroundings()
    assert asked(waits, around) == [("claim", "data")]
    around.object("claim", "data", claim())
    assert asked(waits, around) == [("events", "PersistentVolumeClaim/data"), ("class", "fast")]
    assert codes(waits, around.none("class", "fast"))[0] == "pvc_class_missing"


def test_claims_that_are_missing_or_lost() -> None:
    message = '0/3 nodes are available: persistentvolumeclaim "data" not found.'
    waits = unplaced(message, volumes=VOLUMES)
    assert codes(waits) == ["pending_pvc_missing"]
    assert codes(waits, Surroundings().none("claim", "data"))[0] == "pvc_missing"
    lost = claim("Lost", volumeName="pv-1")
    [found] = told(lost)
    assert (found.code, found.facts["volume"]) == ("pvc_lost", "pv-1")
    assert codes(claim("Bound", volumeName="pv-1")) == []


def test_where_the_volume_is_that_keeps_the_pod_from_other_zones() -> None:
    waits = unplaced(
        "0/3 nodes are available: 3 node(s) had volume node affinity conflict.", volumes=VOLUMES
    )
    around = Surroundings().object("claim", "data", claim("Bound", volumeName="pv-1"))
    assert asked(waits, around) == [("volume", "pv-1")]
    volume = {
        "metadata": {"name": "pv-1"},
        "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [TERM]}}},
    }
    [found] = told(waits, around.object("volume", "pv-1", volume))
    assert found.what.endswith("(data: zone In (a, b)).")
