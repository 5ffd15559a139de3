"""What people do with secrets, each flow with the ways in which it fails. Row "planted secrets".

A flow plants markers in what it sends, and names those that an answer is meant to show.
"""

import base64
import json
import re
import ssl
from collections.abc import Callable
from typing import Any

import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.faults.installs import releases
from tests.faults.visitor import Said
from tests.faults.world import World
from tests.teams.signing import code_of, shown_codes, shown_secret

WORKS, MADE, DONE, WRONG = (200,), (201,), (302,), (400, 401, 403, 422)
V5 = Subprotocol("v5.channel.k8s.io")


def passwords(world: World) -> None:
    """Wrong ones at the sign-in, also in the place of the name; a changed one; another person's."""
    guest = world.visitor()
    guest.sign_in("admin", world.marks.plant("a wrong password"), expect=WRONG)
    guest.sign_in("nobody", world.marks.plant("a password of nobody"), expect=WRONG)
    name = "a password as the name"  # it comes back in the form
    guest.sign_in(world.marks.plant(name), "x", shows=[name], expect=WRONG)
    new = world.marks.plant("a new password")
    path, old = "/account/password/", world.marks.plant("a wrong old password")
    change = {"password1": new, "password2": new}
    world.admin.get(path, expect=WORKS)
    world.admin.post(path, {"oldpassword": old, **change}, expect=WRONG)
    ada = {"username": "ada", "password1": new, "password2": new, "usable_password": "true"}
    world.admin.post("/admin/teams/user/add/", {**ada, "password2": old}, expect=WORKS)
    world.admin.post("/admin/teams/user/add/", ada, expect=DONE)
    world.visitor().sign_in("ada", new, expect=DONE)


def second_factor(world: World) -> None:
    """Set up, used well and badly, recovered."""
    ada, path = world.visitor(), "/account/second-factor/"
    new = world.marks.secret("a new password")
    ada.sign_in("ada", new, expect=DONE)
    names = ("second factor", "second factor in groups")
    page = ada.get(path, shows=names, expect=WORKS)
    secret = world.marks.knows(names[1], shown_secret(page))
    world.marks.knows(names[0], secret.replace(" ", ""))
    ada.post(path, {"code": "000000"}, shows=names, expect=WRONG)
    ada.post(path, {"code": code_of(secret)}, expect=DONE)
    codes = [f"recovery code {n}" for n in range(10)]
    shown = shown_codes(ada.get("/account/recovery-codes/", shows=codes, expect=WORKS))
    for name, code in zip(codes, shown, strict=True):
        world.marks.knows(name, code)
    again = world.visitor()
    again.sign_in("ada", new, expect=DONE)
    wrong = {"code": world.marks.plant("a wrong code")}  # it comes back in the form
    again.post("/login/code/", wrong, shows=["a wrong code"], expect=WRONG)
    again.post("/login/code/", {"code": world.marks.secret(codes[0])}, expect=DONE)
    again.get("/account/", expect=WORKS)


def provider(world: World) -> None:
    """One that does not answer, and one that sends people back with rubbish."""
    guest = world.visitor()
    guest.get("/login/with/company/")
    code = world.marks.plant("a provider's code")
    guest.get(f"/login/with/company/done/?state=made-up&code={code}")


def api_tokens(world: World) -> None:
    """Made, used, refused; and those that nobody made, wherever a caller might put them."""
    body = {"name": "robot", "scope": "admin", "password": world.marks.plant("an unknown field")}
    world.admin.call("/api/v1/tokens", body, expect=WRONG)
    name = "a bad choice"  # what was chosen is named
    body = {"name": "robot", "scope": world.marks.plant(name)}
    world.admin.call("/api/v1/tokens", body, shows=[name], expect=WRONG)
    broken = '{"token": "' + world.marks.plant("a body that is no JSON")
    kind = {"Content-Type": "application/json"}
    world.admin.ask("POST", "/api/v1/tokens", data=broken, headers=kind, expect=WRONG)
    body = {"name": "robot", "scope": "admin"}
    made = world.admin.call("/api/v1/tokens", body, shows=["API token"], expect=MADE).json()
    world.token = made["token"]
    world.marks.knows("API token", world.token[-32:])  # what it begins with is its name
    world.visitor(world.token).get("/api/v1/clusters", expect=WORKS)
    for name, path in (("the API", "/api/v1/clusters"), ("kubectl", "/k8s/clusters/x/api")):
        world.program(world.marks.plant(f"a made-up token for {name}")).get(path, expect=(401,))
        basic = base64.b64encode(f"admin:{world.marks.plant(f'a login for {name}')}".encode())
        headers = {"Authorization": f"Basic {basic.decode()}"}
        world.program("").get(path, headers=headers, expect=(401,))
    header = {"Authorization": f"Bearer {world.marks.plant('a made-up token for sockets')}"}
    with connect(world.url.replace("http", "ws") + "/ws/live/", additional_headers=header) as there:
        world.hear("refused socket", there)


def registrations(world: World) -> None:
    """By API and by page, good ones and all kinds of bad ones."""
    marks, admin = world.marks, world.admin
    token = marks.knows("token of a kubeconfig", _token_of(world))
    body = {"name": "planted", "environment": "dev", "kubeconfig": world.with_token(token)}
    admin.call("/api/v1/clusters", body, expect=MADE)
    config = world.cluster.kubeconfig
    key = base64.b64decode(json.loads(config)["users"][0]["user"]["client-key-data"]).decode()
    marks.knows("client key of a kubeconfig", key.splitlines()[1])
    form = {"name": "by-page", "environment": "dev", "kubeconfig": config, "allow_duplicate": "on"}
    admin.post("/clusters/register/", form, expect=DONE)
    for name, bad in _bad_kubeconfigs(world):
        body = {"name": "bad", "environment": "dev", "kubeconfig": bad}
        answer = admin.call("/api/v1/clusters", body)
        assert answer.status_code >= 400, (name, answer.text)
        assert admin.post("/clusters/register/", body).status_code == 422, name
    nested = {"kubeconfig": {"token": marks.plant("a token outside of a kubeconfig")}}
    admin.call("/api/v1/clusters", nested, expect=WRONG)
    new = world.with_token(marks.plant("new credentials that are refused"))
    admin.call(_cluster(world), {"kubeconfig": new}, method="PATCH", expect=WRONG)


def _token_of(world: World) -> str:
    config = json.loads(world.cluster.token_kubeconfig("mcm"))
    return str(config["users"][0]["user"]["token"])


def _bad_kubeconfigs(world: World) -> list[tuple[str, str]]:
    plant, good = world.marks.plant, json.loads(world.with_token("x"))

    def user(fields: dict[str, Any]) -> str:
        return json.dumps({**good, "users": [{**good["users"][0], "user": fields}]})

    run = {"command": "sh", "env": [{"name": "A", "value": plant("a kubeconfig that runs sh")}]}
    key = base64.b64encode(plant("a client key that is none").encode()).decode()
    pair = {"client-key-data": key, "client-certificate-data": key}
    return [
        ("refused", world.with_token(plant("a token that is refused"))),
        ("away", world.with_token(plant("a token for nobody"), world.closed_port)),
        ("runs", user({"exec": run})),
        ("no key", user(pair)),
        ("password", user({"username": "u", "password": plant("a password in a kubeconfig")})),
        ("unknown", user({"secret": plant("an unknown field of a kubeconfig")})),
        ("no YAML", f"users: [{{token: {plant('a kubeconfig that is no YAML')}"),
        ("a line", world.with_token(f"{plant('a token of two lines')}\nX-Evil: 1")),
        ("tag", f"users: !!python/name:{plant('a tag in a kubeconfig')}"),
    ]


def _cluster(world: World) -> str:
    found = world.admin.get("/api/v1/clusters", expect=WORKS).json()["clusters"]
    return next(f"/api/v1/clusters/{each['id']}" for each in found if each["name"] == "planted")


def in_the_cluster(world: World) -> None:
    """Objects that hold secrets, seen by MCM itself; and by kubectl, where changes also fail."""
    marks, api = world.marks, world.cluster.api
    value = base64.b64encode(marks.plant("data of a Secret").encode()).decode()
    kept = {"data": {"it": value}}
    last = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(kept)}
    api.create_missing({**_object(world, "Secret", "seen", last), **kept})
    env = [{"name": "DB_PASSWORD", "value": marks.plant("an environment of a pod")}]
    container = {"name": "main", "image": "registry.example/pause:1", "env": env}
    api.create_missing({**_object(world, "Pod", "seen"), "spec": {"containers": [container]}})
    cluster = f"/k8s/clusters/planted/api/v1/namespaces/{world.namespace}/secrets"
    kubectl = world.program(world.token)
    names = ["data of a Secret", "a Secret by kubectl", *(["a password for a chart"])]
    kubectl.get(f"{cluster}/seen", shows=names, expect=WORKS)
    made = {"stringData": {"it": marks.plant("a Secret by kubectl")}}
    kubectl.call(cluster, {**_object(world, "Secret", "made"), **made}, shows=names, expect=MADE)
    wrong = {"data": {"it": marks.plant("a Secret that is no base64")}}
    refused = ["a Secret that is no base64", "a patch that is refused"]
    kubectl.call(cluster, {**_object(world, "Secret", "no"), **wrong}, shows=refused, expect=WRONG)
    patch = json.dumps(
        {"metadata": {"labels": {"a": marks.plant("a patch that is refused") + "/"}}}
    )
    kind = {"Content-Type": "application/merge-patch+json"}
    path = f"{cluster}/made"
    kubectl.ask("PATCH", path, data=patch, headers=kind, shows=refused + names, expect=WRONG)
    name = "a command by kubectl"  # the shell names what it does not know
    query = {"command": ["sh", "-c", marks.plant(name)], "stdin": "true"}
    url = requests.Request("GET", f"{world.https}{cluster[:-7]}pods/seen/exec", params=query)
    address = str(url.prepare().url).replace("https", "wss")
    header = {"Authorization": f"Bearer {world.token}"}
    tls = ssl.create_default_context(cafile=str(world.authority))
    try:
        with connect(address, ssl=tls, additional_headers=header, subprotocols=[V5]) as there:
            world.hear("exec", there, name)
    except InvalidStatus as error:
        world.said.append(Said("exec", bytes(error.response.body or b"")))


def _object(
    world: World, kind: str, name: str, annotations: dict[str, str] | None = None
) -> dict[str, Any]:
    meta = {"name": name, "namespace": world.namespace, "annotations": annotations or {}}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta}


def kubeconfigs(world: World) -> None:
    """The file of a person, whose token stands nowhere else."""
    program = world.program("")
    program.session.cookies = world.admin.session.cookies
    uuid = _cluster(world).rpartition("/")[2]
    path = f"/clusters/{uuid}/kubeconfig/"
    answer = program.post(
        path, {"hours": "1"}, shows=["token of a download"], headers={"Referer": world.https},
        expect=WORKS,
    )  # fmt: skip
    found = re.search(r'"?token"?: "?([^\s",]+)', answer.text)
    assert found, answer.text
    world.marks.knows("token of a download", found[1][-32:])


FLOWS: tuple[Callable[[World], None], ...] = (
    passwords, second_factor, provider, api_tokens, registrations, releases, in_the_cluster,
    kubeconfigs,
)  # fmt: skip
