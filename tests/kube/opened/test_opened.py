"""A live object opened: YAML without secrets, its state, what it names and what names it."""

import base64
import json
from typing import Any

import pytest
import yaml

from clusters.kube import errors
from clusters.kube.opened import mentions, state, text
from clusters.kube.opened.mentions import Mention, Opened

Json = dict[str, Any]
PLANTED = "planted-value"
ENCODED = base64.b64encode(PLANTED.encode()).decode()


def body(**more: Any) -> bytes:
    meta = {"name": "web-1", "namespace": "shop", **more.pop("metadata", {})}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": meta, **more}).encode()


def secret(**more: Any) -> bytes:
    applied = {text.APPLIED: f'{{"data":{{"password":"{ENCODED}"}}}}'}
    return body(
        kind="Secret", metadata={"annotations": applied}, data={"password": ENCODED, **more}
    )


def test_the_values_of_a_secret_are_nowhere_in_its_yaml() -> None:
    found = text.manifest(secret())
    assert ENCODED not in found.text
    assert PLANTED not in found.text
    assert found.masked == 1
    assert yaml.safe_load(found.text)["data"] == {"password": text.MASK}


def test_a_secret_whose_data_has_another_form_is_hidden_all_the_same() -> None:
    found = text.manifest(body(kind="Secret", data=ENCODED, stringData=[PLANTED]))
    assert ENCODED not in found.text
    assert PLANTED not in found.text


def test_yaml_says_what_the_object_says() -> None:
    spec = {
        "text": "two\nlines\n",
        "number": 1,
        "list": [{"a": "on"}],
        "odd": "a: b # c",
        "no": None,
    }
    fields = [{"manager": "kubectl"}]
    found = text.manifest(body(spec=spec, metadata={"managedFields": fields}))
    assert yaml.safe_load(found.text)["spec"] == spec
    assert "managedFields" not in found.text
    assert yaml.safe_load(found.managed) == fields
    assert "text: |" in found.text
    assert found.text.index("apiVersion") < found.text.index("kind") < found.text.index("spec")


@pytest.mark.parametrize("wrong", [b"", b"[]", b"{}", b'{"metadata": 1}', b"[" * 100_000])
def test_what_is_no_object_is_refused(wrong: bytes) -> None:
    with pytest.raises(errors.BadAnswer):
        text.manifest(wrong)


def test_an_object_that_is_nested_too_deeply_is_refused() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"a": deep}
    with pytest.raises(errors.BadAnswer):
        text.manifest(body(spec=deep))


def test_values_are_texts_where_they_are_texts() -> None:
    raw = base64.b64encode(b"\x00\xff").decode()
    found = {value.key: value for value in text.values(secret(raw=raw, wrong="no base64!"))}
    assert found["password"].text == PLANTED
    assert (found["raw"].text, found["raw"].size) == (None, 2)
    assert found["wrong"].text is None


def test_characters_that_nobody_sees_are_written_out() -> None:
    assert text.visible("a\u202eb") == "a\\u202eb"


def test_the_containers_of_a_pod_and_how_they_ended() -> None:
    ended = {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-01T00:00:00Z"}
    found = state.state(
        body(
            spec={
                "initContainers": [
                    {"name": "first", "image": "a"},
                    {"name": "beside", "image": "b", "restartPolicy": "Always"},
                ],
                "containers": [{"name": "app", "resources": {"limits": {"memory": "1Mi"}}}],
            },
            status={
                "conditions": [
                    {"type": "Ready", "status": "False", "reason": "ContainersNotReady"},
                    {"type": "PodScheduled", "status": "True"},
                ],
                "initContainerStatuses": [
                    {
                        "name": "first",
                        "state": {"terminated": {"exitCode": 0, "reason": "Completed"}},
                    }
                ],
                "containerStatuses": [
                    {
                        "name": "app",
                        "restartCount": 3,
                        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                        "lastState": {"terminated": ended},
                    }
                ],
            },
        )
    )
    assert [(each.name, each.kind, each.state, each.health) for each in found.containers] == [
        ("first", "init", "Completed", "idle"),
        ("beside", "sidecar", "Waiting", "progressing"),
        ("app", "", "CrashLoopBackOff", "failing"),
    ]
    app = found.containers[2]
    assert app.last is not None
    assert (app.last.reason, app.last.exit_code, app.restarts) == ("OOMKilled", 137, 3)
    assert app.limits == {"memory": "1Mi"}
    assert [(each.type, each.health) for each in found.conditions] == [
        ("Ready", "failing"),
        ("PodScheduled", "healthy"),
    ]


@pytest.mark.parametrize(
    ("kind", "status", "health"),
    [
        ("Ready", "True", "healthy"),
        ("Ready", "Unknown", "unknown"),
        ("MemoryPressure", "True", "failing"),
        ("MemoryPressure", "False", "idle"),
        ("Progressing", "True", "idle"),
    ],
)
def test_what_a_condition_means(kind: str, status: str, health: str) -> None:
    assert state.condition_health(kind, status) == health


POD_SPEC: Json = {
    "nodeName": "node-1",
    "serviceAccountName": "robot",
    "imagePullSecrets": [{"name": "pull"}],
    "volumes": [
        {"name": "a", "configMap": {"name": "settings"}},
        {"name": "b", "secret": {"secretName": "keys"}},
        {"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "d", "projected": {"sources": [{"configMap": {"name": "more"}}, {"secret": 3}]}},
        {"name": "e", "ephemeral": {}},
    ],
    "containers": [
        {
            "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "env"}}],
            "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "x"}}}],
        }
    ],
}


def names(found: list[Mention], relation: str) -> list[str]:
    return [each.name for each in found if each.relation == relation]


def test_what_a_pod_names() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web"}
    found = mentions.mentions(Opened(body(spec=POD_SPEC, metadata={"ownerReferences": [owner]})))
    assert found[0] == Mention("owner", "ReplicaSet", "shop", "web")
    assert names(found, "config") == ["settings", "more"]
    assert names(found, "secret") == ["keys", "env", "pull"]
    assert names(found, "claim") == ["data", "web-1-e"]
    assert names(found, "account") == ["robot"]
    assert names(found, "node") == ["node-1"]


def test_a_custom_owner_is_named_with_its_group() -> None:
    owner = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "name": "tls"}
    found = mentions.mentions(Opened(body(metadata={"ownerReferences": [owner]})))
    assert found == [Mention("owner", "Certificate.cert-manager.io", "shop", "tls")]


def test_a_workload_names_what_its_template_names() -> None:
    found = mentions.mentions(
        Opened(
            body(kind="CronJob", spec={"jobTemplate": {"spec": {"template": {"spec": POD_SPEC}}}})
        )
    )
    assert names(found, "config") == ["settings", "more"]
    assert names(found, "node") == []


def test_hostile_forms_name_nothing() -> None:
    spec = {"volumes": "x", "containers": [1, None, {"env": {"a": 1}}], "nodeName": ["n"]}
    assert mentions.mentions(Opened(body(spec=spec, metadata={"ownerReferences": 7}))) == []
