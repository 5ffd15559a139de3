"""Releases with secrets among their values, also those that fail in words that quote them."""

import json
import time
from typing import Any

from tests.faults.world import World
from tests.helm.archives import DEPLOYMENT, chart

WORKS, MADE, WRONG = (200,), (201,), (400, 401, 403, 422)
NOTES = "It is {{ .Release.Name }} with the password {{ .Values.password }}."
# Refuse the values in words that hold them: by the chart, by its schema, by the API server.
QUOTING = '{{ fail (printf "%s is no good password" .Values.password) }}'
SCHEMA = {"properties": {"password": {"type": "string", "pattern": "^[a-z]+$"}}}
LABEL = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}", labels: {password: "{{ .Values.password }}/no/label"}}
"""


def releases(world: World) -> None:
    """A good install, and those that fail in words that quote the values."""
    marks = world.marks
    good = {
        "password": marks.plant("a password for a chart"),
        "note": marks.plant("a plain value for a chart"),
        "deep": {"apiKey": marks.plant("a key deep in values")},
    }
    notes = {**DEPLOYMENT, "templates/NOTES.txt": NOTES}
    _install(world, "good", notes, good, "succeeded")
    bad: list[tuple[str, dict[str, str]]] = [
        ("a value that the chart quotes", {"templates/all.yaml": QUOTING}),
        ("a value that the schema quotes", {"values.schema.json": json.dumps(SCHEMA)}),
        ("a value that the cluster quotes", {"templates/all.yaml": LABEL}),
        ("a value that breaks the YAML", {"templates/all.yaml": "a: [{{ .Values.password }}"}),
    ]
    for number, (name, files) in enumerate(bad):
        values = {"password": marks.plant(name)}
        _install(world, f"bad-{number}", {**DEPLOYMENT, **files}, values, "failed")
    no_yaml = f"password: [{marks.plant('values that are no YAML')}"
    body = _body(world, "never", _upload(world, DEPLOYMENT), no_yaml)
    world.admin.call("/api/v1/releases", body, expect=WRONG)
    form = {**body, "values": f"- {marks.plant('values that are no mapping')}", "timeout": "60"}
    world.admin.post("/releases/install/", form, expect=WRONG)
    body = {**body, "password": marks.plant("an unknown field beside values")}
    world.admin.call("/api/v1/releases", body, expect=WRONG)


def _upload(world: World, files: dict[str, str]) -> str:
    sent = {"file": ("demo.tgz", chart(files))}
    answer = world.admin.ask("POST", "/api/v1/charts", files=sent, expect=MADE)
    return str(answer.json()["id"])


def _body(world: World, name: str, uploaded: str, values: str) -> dict[str, Any]:
    place = {"cluster": "planted", "namespace": world.namespace, "name": name}
    return {**place, "chart": {"upload": uploaded}, "values": values}


def _install(
    world: World, name: str, files: dict[str, str], values: dict[str, Any], status: str
) -> None:
    body = _body(world, name, _upload(world, files), json.dumps(values))
    asked = world.admin.call("/api/v1/releases", body, expect=(202,)).json()
    path = f"/api/v1/operations/{asked['operation']['id']}"
    end = time.monotonic() + 90
    while (now := world.admin.get(path, expect=WORKS).json())["status"] in {"queued", "running"}:
        assert time.monotonic() < end, now
        time.sleep(0.2)  # another process works on it
    assert now["status"] == status, now
