"""What fits no cause, and what is hostile."""

import json
import time
from typing import Any

import pytest

from clusters.kube import errors
from clusters.kube.why import cause as causes
from clusters.kube.why import refusals, scheduling
from clusters.kube.why.explain import MOST_CAUSES, explain
from clusters.kube.why.subject import read
from tests.kube.why.around import (
    Surroundings,
    asked,
    at,
    codes,
    condition,
    event,
    looping,
    pod,
    running,
    told,
    waiting,
)


def test_a_pod_whose_trouble_is_not_known() -> None:
    said = [event("Strange", f"number {n}", ago=n) for n in range(5)]
    body = pod(waiting("SomethingNew", "unheard of"), phase="Pending")
    [found] = told(body, Surroundings(*said))
    assert found.code == "unclear"
    assert found.what == "Pod web-1 is not well, and its causes are none of the known ones."
    assert [each.text for each in found.evidence] == [
        "SomethingNew: unheard of",
        "ContainersNotReady: containers with unready status: [app]",
        "number 0",
        "number 1",
        "number 2",
    ]


def test_a_custom_resource_is_told_with_its_conditions() -> None:
    body = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": at(60)},
        "status": {
            "conditions": [
                condition("Ready", "False", "DoesNotExist", "Issuing certificate as Secret does not exist"),
                condition("Issuing", "True", "DoesNotExist"),
            ]
        },
    }  # fmt: skip
    [found] = told(body)
    assert (found.code, found.kind) == ("unclear", "Certificate")
    assert [each.place for each in found.evidence] == ["status.conditions[Ready]=False"]
    body["status"] = {"conditions": {"of": "another form"}}
    assert codes(body) == []
    body["status"] = "none"
    assert codes(body) == []


def test_a_kind_of_the_same_name_in_another_group_is_not_taken_for_kubernetes() -> None:
    body = {"apiVersion": "example.com/v1", "kind": "Job", "metadata": {"name": "a"},
            "spec": {"suspend": "on Sundays"}, "status": {"failed": "never"}}  # fmt: skip
    assert codes(body) == []


def test_what_is_well_has_no_cause() -> None:
    well = {"conditions": [condition("Ready", "True"), condition("ContainersReady", "True")]}
    assert codes(pod(running(ready=True), status=well)) == []
    young = pod(
        waiting("ContainerCreating"),
        phase="Pending",
        status={"conditions": [condition("Ready", "False", "ContainersNotReady", ago=0.5)]},
    )
    assert codes(young) == []
    assert asked(young) == [("events", "Pod/web-1")]


def test_the_most_telling_comes_first() -> None:
    body = pod(
        looping(1, name="worker"),
        waiting("ErrImagePull", "manifest unknown"),
        running(name="slow"),
        spec={
            "containers": [
                {"name": "worker"},
                {"name": "app", "image": "web:1"},
                {"name": "slow", "readinessProbe": {"tcpSocket": {"port": 1}}},
            ]
        },
    )
    body["status"]["containerStatuses"][2]["name"] = "slow"
    assert codes(body) == ["image_not_found", "exit_code", "not_ready"]


HOSTILE = "\x1b[31m<b>%(name)s %s %d {0}\u202e\u0000\n" + "A" * 100_000


def test_texts_of_a_cluster_are_made_harmless_and_short() -> None:
    body = pod(waiting("CreateContainerConfigError", HOSTILE), phase="Pending")
    body["status"]["containerStatuses"][0]["name"] = HOSTILE
    body["metadata"]["name"] = HOSTILE
    body["spec"]["containers"][0] |= {"image": HOSTILE, "name": HOSTILE}
    for reason in ("CreateContainerConfigError", "ErrImagePull", "CrashLoopBackOff", "New"):
        body["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] = reason
        found = explain(read(json.dumps(body).encode()), Surroundings())
        assert found
        for each in found:
            texts = [each.what, each.todo, each.name, each.container, *each.facts.values()]
            texts += [said.text for said in each.evidence] + [said.place for said in each.evidence]
            assert max(map(len, texts)) <= 1000 + 200
            assert not any(bad in text for text in texts for bad in "\x1b\u202e\x00\n")
            assert len(each.facts["name"]) <= causes.LONGEST_FACT


@pytest.mark.parametrize(
    "message",
    [
        "0/9 nodes are available: " + "1 Insufficient cpu, " * 100_000,
        "0/9 nodes are available: " + "1 node(s) had untolerated taint {" * 10_000,
        "0/9 nodes are available: " + ". preemption: " * 10_000,
        "exceeded quota: a, requested: b, used: " * 10_000,
        "maximum " * 50_000,
        "maximum a usage per b is " * 10_000,
        'exec: "' * 50_000,
        "mount " * 50_000,
        "couldn't find key " * 10_000,
        "for volume \"a\" : " * 10_000,
        "(" * 100_000,
    ],
)  # fmt: skip
def test_no_message_takes_long_to_read(message: str) -> None:
    begun = time.process_time()
    found = scheduling.read(message)
    assert found is None or len(found.reasons) <= scheduling.MOST_REASONS
    refusals.read(message)
    for reason in ("CreateContainerConfigError", "ErrImagePull", "RunContainerError"):
        told(pod(waiting(reason, message), phase="Pending"))
    told(pod(looping(128, "StartError", message)))
    told(
        pod(waiting("ContainerCreating"), phase="Pending"),
        Surroundings(event("FailedMount", message)),
    )
    assert time.process_time() - begun < 1.5


def test_however_much_is_wrong_the_answer_is_bounded() -> None:
    statuses = [waiting("ErrImagePull", "x", name=f"c{n}") for n in range(2000)]
    found = told(pod(*statuses, phase="Pending"), Surroundings(*[event("Failed", "x")] * 3000))
    assert len(found) == MOST_CAUSES


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{}", b'{"kind": "Pod", "apiVersion": "v1", "metadata": []}',
     b"[" * 100_000, b'{"kind": "Pod", "apiVersion": "v1", "metadata": {}, "status": {"phase": 1}}'],
)  # fmt: skip
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(errors.BadAnswer):
        read(body)


def test_names_out_of_messages_lead_to_no_other_address() -> None:
    for name in ("../../secrets", "a/b", "..", "a?b", "", "a b", "a%2Fb"):
        words = f'configmap "{name}" not found'
        body: Any = pod(waiting("CreateContainerConfigError", words), phase="Pending")
        assert asked(body, Surroundings()) == []
        body = pod(running(), spec={"nodeName": name})
        assert ("node", name) not in asked(body)
