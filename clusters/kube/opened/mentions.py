"""What a live object names: its owners, what its pods mount and read, where it leads."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from clusters.kube import errors
from clusters.kube.kinds import KINDS
from clusters.kube.opened.text import NOT_AN_OBJECT

MOST = 300
RELEASE = "meta.helm.sh/release-name"
RELEASE_SPACE = "meta.helm.sh/release-namespace"
# Where the template of pods stands, by kind.
TEMPLATES = {
    "Pod": (),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"),
        ("spec", "template"),
    ),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
Json = dict[str, Any]


class Mention(NamedTuple):
    """An object that stands in a relation: "owner", "config", "secret", "claim", "volume",
    "account", "node", "service", "target", "subject", "class" or "release".

    `kind` is as rows have it: of a custom one with its group. The name of a release is Helm's.
    """

    relation: str
    kind: str
    namespace: str
    name: str


class Opened:
    """A live object's JSON; parts that are not as Kubernetes writes them count as missing."""

    def __init__(self, body: bytes) -> None:
        """BadAnswer when it is no object."""
        try:
            found = msgspec.json.decode(body)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise errors.BadAnswer(NOT_AN_OBJECT) from error
        if not isinstance(found, dict):
            raise errors.BadAnswer(NOT_AN_OBJECT)
        self.whole: Json = found

    @classmethod
    def of(cls, whole: Any, kind: str) -> "Opened":
        """An item of a list, which does not say what it is."""
        made = cls.__new__(cls)
        made.whole = {**mapping(whole), "kind": kind}
        return made

    @property
    def kind(self) -> str:
        return text(self.whole.get("kind"))

    @property
    def metadata(self) -> Json:
        return mapping(self.whole.get("metadata"))

    @property
    def name(self) -> str:
        return text(self.metadata.get("name"))

    @property
    def namespace(self) -> str:
        return text(self.metadata.get("namespace"))

    @property
    def spec(self) -> Json:
        return mapping(self.whole.get("spec"))

    @property
    def template(self) -> Json | None:
        """What its pods are made of, itself where it is a pod; None where it makes none."""
        if self.kind not in TEMPLATES:
            return None
        return at(self.whole, *TEMPLATES[self.kind])

    @property
    def pod_labels(self) -> dict[str, str] | None:
        """The labels that its pods have; None where it has none."""
        if self.template is None:
            return None
        labels = at(self.template, "metadata", "labels")
        return {str(key): text(value) for key, value in labels.items()}


def mentions(found: Opened) -> list[Mention]:
    """What the object names, each once, in the order of the relations."""
    every = dict.fromkeys(each for each in _mentions(found) if each.name)
    return list(every)[:MOST]


def _mentions(found: Opened) -> Iterator[Mention]:
    space = found.namespace
    for owner in listed(found.metadata.get("ownerReferences")):
        yield Mention(
            "owner", kind_of(owner), _space(kind_of(owner), space), text(owner.get("name"))
        )
    annotations = mapping(found.metadata.get("annotations"))
    if name := text(annotations.get(RELEASE)):
        where = text(annotations.get(RELEASE_SPACE)) or space
        yield Mention("release", "HelmRelease", where, name)
    if found.template is not None:
        yield from _of_pods(mapping(found.template.get("spec")), space, found)
    of_kind = _OF_KIND.get(found.kind)
    if of_kind is not None:
        yield from of_kind(found, space)


def _of_pods(spec: Json, space: str, found: Opened) -> Iterator[Mention]:
    if found.kind == "Pod":
        yield Mention("node", "Node", "", text(spec.get("nodeName")))
    account = text(spec.get("serviceAccountName"))
    yield Mention("account", "ServiceAccount", space, account)
    for volume in listed(spec.get("volumes")):
        yield from _of_volume(volume, space, found)
    for name in ("initContainers", "containers", "ephemeralContainers"):
        for container in listed(spec.get(name)):
            yield from _of_container(container, space)
    for each in listed(spec.get("imagePullSecrets")):
        yield Mention("secret", "Secret", space, text(each.get("name")))


def _of_volume(volume: Json, space: str, found: Opened) -> Iterator[Mention]:
    yield Mention("config", "ConfigMap", space, text(at(volume, "configMap").get("name")))
    yield Mention("secret", "Secret", space, text(at(volume, "secret").get("secretName")))
    claim = text(at(volume, "persistentVolumeClaim").get("claimName"))
    if "ephemeral" in volume and found.kind == "Pod":
        claim = f"{found.name}-{text(volume.get('name'))}"
    yield Mention("claim", "PersistentVolumeClaim", space, claim)
    for source in listed(at(volume, "projected").get("sources")):
        yield Mention("config", "ConfigMap", space, text(at(source, "configMap").get("name")))
        yield Mention("secret", "Secret", space, text(at(source, "secret").get("name")))


def _of_container(container: Json, space: str) -> Iterator[Mention]:
    for each in listed(container.get("envFrom")):
        yield Mention("config", "ConfigMap", space, text(at(each, "configMapRef").get("name")))
        yield Mention("secret", "Secret", space, text(at(each, "secretRef").get("name")))
    for each in listed(container.get("env")):
        source = at(each, "valueFrom")
        config, secret = at(source, "configMapKeyRef"), at(source, "secretKeyRef")
        yield Mention("config", "ConfigMap", space, text(config.get("name")))
        yield Mention("secret", "Secret", space, text(secret.get("name")))


def backends(found: Opened) -> set[str]:
    """The names of the Services to which an Ingress leads."""
    every = [at(found.spec, "defaultBackend")]
    for rule in listed(found.spec.get("rules")):
        every += [at(path, "backend") for path in listed(at(rule, "http").get("paths"))]
    return {text(at(each, "service").get("name")) for each in every} - {""}


def _of_ingress(found: Opened, space: str) -> Iterator[Mention]:
    for name in sorted(backends(found)):
        yield Mention("service", "Service", space, name)
    for each in listed(found.spec.get("tls")):
        yield Mention("secret", "Secret", space, text(each.get("secretName")))


def _of_claim(found: Opened, _space: str) -> Iterator[Mention]:
    yield Mention("volume", "PersistentVolume", "", text(found.spec.get("volumeName")))
    yield Mention("class", "StorageClass", "", text(found.spec.get("storageClassName")))


def _of_volume_itself(found: Opened, _space: str) -> Iterator[Mention]:
    claim = at(found.spec, "claimRef")
    where, name = text(claim.get("namespace")), text(claim.get("name"))
    yield Mention("claim", "PersistentVolumeClaim", where, name)
    yield Mention("class", "StorageClass", "", text(found.spec.get("storageClassName")))


def _of_autoscaler(found: Opened, space: str) -> Iterator[Mention]:
    target = at(found.spec, "scaleTargetRef")
    yield Mention("target", kind_of(target), space, text(target.get("name")))


def _of_account(found: Opened, space: str) -> Iterator[Mention]:
    for part in ("secrets", "imagePullSecrets"):
        for each in listed(found.whole.get(part)):
            yield Mention("secret", "Secret", space, text(each.get("name")))


def _of_event(found: Opened, _space: str) -> Iterator[Mention]:
    about = at(found.whole, "involvedObject")
    where, name = text(about.get("namespace")), text(about.get("name"))
    yield Mention("subject", kind_of(about), where, name)


_OF_KIND = {
    "Ingress": _of_ingress,
    "PersistentVolumeClaim": _of_claim,
    "PersistentVolume": _of_volume_itself,
    "HorizontalPodAutoscaler": _of_autoscaler,
    "ServiceAccount": _of_account,
    "Event": _of_event,
}


def kind_of(reference: Json) -> str:
    """The kind that a reference names, as rows have it."""
    kind, version = text(reference.get("kind")), text(reference.get("apiVersion"))
    group = version.partition("/")[0] if "/" in version else ""
    return kind if kind in KINDS or not group else f"{kind}.{group}"


def _space(kind: str, space: str) -> str:
    return space if kind not in KINDS or KINDS[kind].namespaced else ""


def mapping(found: Any) -> Json:
    return found if isinstance(found, dict) else {}


def listed(found: Any) -> list[Json]:
    return [mapping(each) for each in found[:MOST]] if isinstance(found, list) else []


def text(found: Any) -> str:
    return errors.safe_text(found, 253) if isinstance(found, str) else ""


def at(found: Any, *keys: str) -> Json:
    """The mapping at a path of keys; an empty one where there is none."""
    for key in keys:
        found = mapping(found).get(key)
    return mapping(found)
