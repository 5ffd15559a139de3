"""The dialog: steps that appear one by one, of which the browser is believed nothing."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from clusters.models import Cluster
from clusters.services.checks import STEPS
from teams.models import User
from testbed.cluster import Cluster as RealCluster
from tests.clusters.conftest import changed, to_port

pytestmark = pytest.mark.cluster

PAGE = "/clusters/register/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    """The client of a platform admin."""
    client.force_login(admin)
    return client


def filled_in(kubeconfig: str, **fields: Any) -> dict[str, Any]:
    return {"name": "new", "environment": "dev", "kubeconfig": kubeconfig, **fields}


def shown(answer: Any) -> dict[str, Any]:
    """What the form of an answer would send next, as a browser does."""
    form = answer.context["form"]
    values = {name: form[name].value() for name in form.fields if name != "kubeconfig_file"}
    return {name: value for name, value in values.items() if value not in (None, False)}


def states(answer: Any) -> list[str]:
    return [step["state"] for step in answer.context["steps"]]


def step_by_step(mcm: Client, data: dict[str, Any], page: str = PAGE) -> list[Any]:
    """All answers until the page leaves or a step fails."""
    answers = [mcm.post(page, data, headers=HTMX)]
    while "HX-Redirect" not in answers[-1].headers and answers[-1].status_code == 200:
        answers.append(mcm.post(page, shown(answers[-1]), headers=HTMX))
    return answers


def with_contexts(kubeconfig: str, current: str) -> str:
    """The kubeconfig with a second context, `broken`, whose server is a closed port."""
    config = json.loads(kubeconfig)
    (known,) = config["contexts"]
    cluster = json.loads(to_port(kubeconfig, 1))["clusters"][0]
    config["clusters"].append({**cluster, "name": "broken"})
    broken = {"cluster": "broken", "user": known["context"]["user"]}
    config["contexts"].append({"name": "broken", "context": broken})
    config["current-context"] = current
    return json.dumps(config)


def test_each_step_shows_its_result_and_asks_for_the_next(
    mcm: Client, cluster: RealCluster, kubeconfig: str
) -> None:
    answers = step_by_step(mcm, filled_in(kubeconfig))
    assert len(answers) == len(STEPS)
    for n, answer in enumerate(answers[:-1], 1):
        assert states(answer) == ["done"] * n + ["running"] + ["waiting"] * (len(STEPS) - n - 1)
        assert 'hx-trigger="submit, load"' in answer.content.decode()
        assert not answer.context["form"].errors
    details = [step.get("detail", "") for step in answers[-2].context["steps"]]
    version = cluster.api.get("/version")["gitVersion"]
    for n, words in enumerate(["Client certificate", "127.0.0.1", "ready", version, "3 nodes"]):
        assert words in details[n]
    assert "May watch" in details[5]
    stored = Cluster.objects.get()
    assert answers[-1].headers["HX-Redirect"] == f"/clusters/{stored.pk}/"


def test_a_failing_step_keeps_what_was_filled_in(
    mcm: Client, kubeconfig: str, closed_port: int
) -> None:
    wrong = to_port(kubeconfig, closed_port)
    *_, failed = step_by_step(mcm, filled_in(wrong, name="kept-name", region="kept-region"))
    assert failed.status_code == 422
    assert states(failed) == ["done", "done", "failed", *["waiting"] * 4]
    assert 'load"' not in failed.content.decode()
    kept = shown(failed)
    assert (kept["name"], kept["region"], kept["kubeconfig"]) == (
        "kept-name", "kept-region", wrong,
    )  # fmt: skip
    # Mended, it begins anew: what was found belongs to the other text.
    *_, last = step_by_step(mcm, kept | {"kubeconfig": kubeconfig})
    assert last.headers["HX-Redirect"] == f"/clusters/{Cluster.objects.get().pk}/"


def test_an_uploaded_file_survives_the_steps(mcm: Client, kubeconfig: str) -> None:
    upload = SimpleUploadedFile("config.yaml", kubeconfig.encode())
    first, *_, last = step_by_step(mcm, filled_in("", kubeconfig_file=upload))
    assert shown(first)["kubeconfig"] == kubeconfig
    assert last.headers["HX-Redirect"] == f"/clusters/{Cluster.objects.get().pk}/"


def test_the_browser_is_not_believed(mcm: Client, kubeconfig: str, closed_port: int) -> None:
    good = step_by_step(mcm, filled_in(kubeconfig, name="other"))[-2]
    Cluster.objects.all().delete()
    wrong = to_port(kubeconfig, closed_port)
    for progress in (shown(good)["progress"], "forged", '[["x"], {"parse": ""}]'):
        answer = mcm.post(PAGE, filled_in(wrong, progress=progress), headers=HTMX)
        assert states(answer)[:2] == ["done", "running"]
    # With the right text: the last step still does all of it.
    exec_user = {"exec": {"command": "planted", "apiVersion": "v1"}}
    answer = mcm.post(PAGE, filled_in(changed(kubeconfig, user=exec_user)), headers=HTMX)
    assert states(answer)[0] == "failed"
    assert not Cluster.objects.exists()


def test_one_of_several_contexts_is_chosen(mcm: Client, kubeconfig: str) -> None:
    text = with_contexts(kubeconfig, "broken")
    asked = mcm.post(PAGE, filled_in(text), headers=HTMX)
    assert asked.status_code == 422
    form = asked.context["form"]
    assert not form.errors
    assert [name for name, _label in form.fields["context"].widget.choices] == ["test", "broken"]
    assert '<select name="context"' in asked.content.decode()
    assert shown(asked)["context"] == "broken"
    assert shown(asked)["kubeconfig"] == text
    *_, last = step_by_step(mcm, shown(asked) | {"context": "test"})
    assert last.headers["HX-Redirect"] == f"/clusters/{Cluster.objects.get().pk}/"
    assert Cluster.objects.get().connection.context == "test"


def test_without_scripts_one_post_does_all(mcm: Client, kubeconfig: str) -> None:
    assert mcm.post(PAGE, filled_in(to_port(kubeconfig, 1))).status_code == 422
    asked = mcm.post(PAGE, filled_in(with_contexts(kubeconfig, "test")))
    assert asked.status_code == 422
    answer = mcm.post(PAGE, shown(asked))
    assert answer.headers["Location"] == f"/clusters/{Cluster.objects.get().pk}/"


def test_a_refused_program_shows_the_way_out(mcm: Client, kubeconfig: str) -> None:
    exec_user = {"exec": {"command": "planted", "apiVersion": "v1"}}
    answer = mcm.post(PAGE, filled_in(changed(kubeconfig, user=exec_user)), headers=HTMX)
    page = answer.content.decode()
    assert "users[0].user.exec" in page
    assert "/clusters/manifest/" in page
    assert states(answer) == ["failed", *["waiting"] * 6]
