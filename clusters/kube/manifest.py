"""The account that MCM asks for in a cluster: a manifest with just the rights that it uses."""

import json
from collections.abc import Collection, Iterator
from typing import NamedTuple

from clusters.kube.kinds import KINDS

NAMESPACE, ACCOUNT = "mcm-system", "mcm"
# What may be left out, besides "watch"; in the order in which it is offered.
FEATURES = ("watch", "metrics", "logs", "secrets", "exec", "deploy")
_SECRETS = "/api/v1/secrets"


class Rule(NamedTuple):
    """One rule of a ClusterRole and why it is there."""

    why: str
    groups: list[str]
    resources: list[str]
    verbs: list[str]
    names: list[str] = []


def manifest(features: Collection[str], custom: Collection[tuple[str, str]] = ()) -> str:
    """The YAML to apply as an admin of the cluster; `features` are of FEATURES, "watch" always.

    `custom` are group and plural of the custom resources that are watched there, too.
    """
    rules = [_yaml(rule) for rule in (*_rules({"watch", *features}), *_custom(custom))]
    text = _HEAD + "".join(rules) + _PROBE + _binding("mcm", "mcm")
    if "deploy" in features:
        text += _binding("mcm-deploy", "cluster-admin", "# all rights: a chart may hold anything\n")
    return text


def watched(features: Collection[str]) -> dict[str, list[str]]:
    """The plurals that the features let MCM list and watch, by API group."""
    found: dict[str, list[str]] = {}
    for kind in KINDS.values():
        if kind.path == _SECRETS and "secrets" not in features:
            continue
        start, _, plural = kind.path.rpartition("/")
        group = start.split("/")[2] if start.startswith("/apis/") else ""
        plurals = found.setdefault(group, [])
        if plural not in plurals:
            plurals.append(plural)
    return found


def _rules(features: Collection[str]) -> Iterator[Rule]:
    read = ["list", "watch"]
    for group, plurals in watched(set(features) - {"secrets"}).items():
        yield Rule("to show what is there", [group], plurals, read)
    kube_system = ["kube-system"]
    yield Rule("its uid tells clusters apart", [""], ["namespaces"], ["get"], kube_system)
    crds = "customresourcedefinitions"
    yield Rule("to offer custom resources", ["apiextensions.k8s.io"], [crds], ["list"])
    if "metrics" in features:
        yield Rule("what nodes and pods use", ["metrics.k8s.io"], ["nodes", "pods"], ["list"])
    if "logs" in features:
        yield Rule("to read the logs of containers", [""], ["pods/log"], ["get"])
    if "secrets" in features:
        why = "names and Helm releases; Kubernetes has no right to metadata alone"
        yield Rule(why, [""], ["secrets"], read)
    if "exec" in features:
        yield Rule("a terminal in containers", [""], ["pods/exec"], ["create", "get"])


def _custom(resources: Collection[tuple[str, str]]) -> Iterator[Rule]:
    for group in sorted({group for group, _ in resources}):
        plurals = sorted(plural for of, plural in resources if of == group)
        yield Rule("custom resources that are turned on", [group], plurals, ["list", "watch"])


def _yaml(rule: Rule) -> str:
    names = f"    resourceNames: {json.dumps(rule.names)}\n" if rule.names else ""
    return (
        f"  # {rule.why}\n"
        f"  - apiGroups: {json.dumps(rule.groups)}\n"
        f"    resources: {json.dumps(rule.resources)}\n{names}"
        f"    verbs: {json.dumps(rule.verbs)}\n"
    )


def _binding(name: str, role: str, why: str = "") -> str:
    return f"""---
{why}apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {name}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {role}
subjects:
  - kind: ServiceAccount
    name: {ACCOUNT}
    namespace: {NAMESPACE}
"""


_HEAD = f"""apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {ACCOUNT}
  namespace: {NAMESPACE}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: mcm
rules:
"""
# Kubernetes grants these two to everybody, unless the cluster was hardened.
_PROBE = """  # to see that the API server lives, and its version
  - nonResourceURLs: ["/readyz", "/version"]
    verbs: ["get"]
"""
# A token without an end, kept by the cluster in a Secret, for where tokens cannot be renewed.
TOKEN_SECRET = f"""apiVersion: v1
kind: Secret
metadata:
  name: mcm-token
  namespace: {NAMESPACE}
  annotations:
    kubernetes.io/service-account.name: {ACCOUNT}
type: kubernetes.io/service-account-token
"""
APPLY = "kubectl apply -f mcm.yaml"
TOKEN = f"TOKEN=$(kubectl create token {ACCOUNT} --namespace {NAMESPACE} --duration=8760h)"
LASTING_TOKEN = f"""kubectl apply -f - <<'END'
{TOKEN_SECRET}END
kubectl wait secret/mcm-token --namespace {NAMESPACE} --for=jsonpath='{{.data.token}}'
TOKEN=$(kubectl get secret mcm-token --namespace {NAMESPACE} \\
  --output go-template='{{{{.data.token | base64decode}}}}')"""
KUBECONFIG = """view() {
  kubectl config view --minify --raw --flatten --output jsonpath="{.clusters[0].cluster.$1}"
}
SERVER=$(view server)
CA=$(view certificate-authority-data)
cat > mcm-kubeconfig.yaml <<END
apiVersion: v1
kind: Config
current-context: mcm
clusters:
  - name: mcm
    cluster: {server: "$SERVER", certificate-authority-data: "$CA"}
users:
  - name: mcm
    user: {token: "$TOKEN"}
contexts:
  - name: mcm
    context: {cluster: mcm, user: mcm}
END"""
