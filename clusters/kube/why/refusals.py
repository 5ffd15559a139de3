"""Pods that the API server refuses to make: quota, limits, policies and webhooks."""

import re
from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import LONGEST_READ, PLACE, Cause, Evidence, Saying, cause, evidence
from clusters.kube.why.neighbours import LimitRange, Quota
from clusters.kube.why.parts import about, is_true
from clusters.kube.why.workloads import Workload

QUOTA = Saying(
    "quota_exceeded",
    PLACE,
    sentence(
        "The quota %(quota)s of the namespace is used up: a new pod asks for"
        " %(requested)s, used is %(used)s of %(limited)s."
    ),
    sentence("Request less, remove what is not needed, or have the quota raised."),
)
QUOTA_NEEDS = Saying(
    "quota_needs_values",
    PLACE,
    sentence(
        "The quota %(quota)s of the namespace wants every container to name what it asks"
        " for, and these do not: %(missing)s"
    ),
    sentence(
        "Set these requests and limits in the pod's template, or give the namespace a"
        " LimitRange with defaults."
    ),
)
LIMIT_MOST = Saying(
    "limit_range_above",
    PLACE,
    sentence(
        "The namespace's LimitRange allows a %(type)s at most %(bound)s of %(resource)s;"
        " the pod wants %(value)s."
    ),
    sentence("Ask for less in the pod's template, or have the LimitRange changed."),
)
LIMIT_LEAST = Saying(
    "limit_range_below",
    PLACE,
    sentence(
        "The namespace's LimitRange wants a %(type)s to ask for at least %(bound)s of"
        " %(resource)s; the pod asks for %(value)s."
    ),
    sentence("Ask for more in the pod's template, or have the LimitRange changed."),
)
LIMIT_RATIO = Saying(
    "limit_range_ratio",
    PLACE,
    sentence(
        "The namespace's LimitRange allows a limit of %(resource)s at most %(bound)s"
        " times the request."
    ),
    sentence("Bring request and limit closer together in the pod's template."),
)
SECURITY = Saying(
    "pod_security",
    PLACE,
    sentence("The namespace's pod security level %(level)s forbids this pod: %(detail)s"),
    sentence(
        "Set what it names in the pod's securityContext, or have the level of the"
        " namespace changed."
    ),
)
WEBHOOK = Saying(
    "webhook_denied",
    PLACE,
    sentence("The admission webhook %(webhook)s refuses the pod: %(detail)s"),
    sentence("Change the pod's template as the message says, or ask who keeps this policy."),
)
WEBHOOK_DOWN = Saying(
    "webhook_down",
    PLACE,
    sentence("The admission webhook %(webhook)s does not answer, and no pod is made without it."),
    sentence("Look at the pods and the Service of the webhook."),
)
POLICY = Saying(
    "admission_policy",
    PLACE,
    sentence("The admission policy %(policy)s refuses the pod: %(detail)s"),
    sentence("Change the pod's template as the message says, or ask who keeps this policy."),
)
ACCOUNT = Saying(
    "service_account_missing",
    PLACE,
    sentence("The service account %(account)s that the pods are to run as does not exist."),
    sentence("Make it in this namespace, or mend serviceAccountName in the pod's template."),
)
PRIORITY = Saying(
    "priority_class_missing",
    PLACE,
    sentence("The priority class %(class)s that the pods name does not exist."),
    sentence("Make it, or mend priorityClassName in the pod's template."),
)
ENDING = Saying(
    "namespace_ending",
    PLACE,
    sentence("The namespace is being deleted: nothing new is made in it."),
    sentence("Wait until it is gone and make it anew, or use another namespace."),
)
INVALID = Saying(
    "pod_invalid",
    PLACE,
    sentence("The API server does not accept the pod: %(detail)s"),
    sentence("Mend the pod's template as the message says."),
)
REFUSED = Saying(
    "create_refused",
    PLACE,
    sentence("The API server refuses to make the pods of %(name)s."),
    sentence("Its message beside this says why."),
)
_BOUND = (
    r"(?P<resource>\S{1,253}) usage per (?P<type>\w+) is (?P<bound>[^\s,]{1,60}?)"
    r"(?:, but (?:limit|request) is (?P<value>[^\s,\]]{1,60})|\. )"
)
TABLE = (
    (
        QUOTA,
        r"exceeded quota: (?P<quota>[^,]{1,253}), requested: (?P<requested>.{1,500}?),"
        r" used: (?P<used>.{1,500}?), limited: (?P<limited>\S{1,500})",
    ),
    (QUOTA_NEEDS, r"failed quota: (?P<quota>[^:]{1,253}): must specify (?P<missing>.{1,500})"),
    (
        LIMIT_MOST,
        r"maximum " + _BOUND,
    ),
    (
        LIMIT_LEAST,
        r"minimum " + _BOUND,
    ),
    (
        LIMIT_RATIO,
        r"(?P<resource>\S{1,253}) max limit to request ratio per (?P<type>\w+)"
        r" is (?P<bound>[^\s,]{1,60})",
    ),
    (SECURITY, r'violates PodSecurity "(?P<level>[^"]{1,100})": (?P<detail>.{1,900})'),
    (
        WEBHOOK,
        r'admission webhook "(?P<webhook>[^"]{1,253})" denied the request:? ?(?P<detail>.{0,900})',
    ),
    (WEBHOOK_DOWN, r'failed calling webhook "(?P<webhook>[^"]{1,253})"'),
    (
        POLICY,
        r"ValidatingAdmissionPolicy '(?P<policy>[^']{1,253})'(?: with binding '[^']{1,253}')?"
        r" denied request: (?P<detail>.{1,900})",
    ),
    (ACCOUNT, r'serviceaccount "(?P<account>[^"]{1,253})" not found'),
    (PRIORITY, r"no PriorityClass with name (?P<class>\S{1,253}) was found"),
    (ENDING, r"because it is being terminated"),
    (INVALID, r"(?:Pod|Job)\S{0,30} \"[^\"]{0,253}\" is invalid: (?P<detail>.{1,900})"),
)

QUOTAS, LIMITS = (QUOTA, QUOTA_NEEDS), (LIMIT_MOST, LIMIT_LEAST, LIMIT_RATIO)


def causes(kind: str, found: Workload, around: Around) -> Iterator[Cause]:
    """Why a workload's pods are not made; nothing when none is missing."""
    told: set[str] = set()
    for text, said in _told(kind, found, around):
        saying, facts = read(text)
        if saying.code not in told:
            told.add(saying.code)
            yield _cause(kind, found, around, saying, facts, said)


def read(text: str) -> tuple[Saying, dict[str, str]]:
    """What a refusal says, and its facts."""
    for saying, pattern in TABLE:
        if found := re.search(pattern, text[:LONGEST_READ], re.DOTALL):
            return saying, {key: value or "-" for key, value in found.groupdict().items()}
    return REFUSED, {}


def _told(kind: str, found: Workload, around: Around) -> Iterator[tuple[str, Evidence]]:
    failure = is_true(found.status.conditions, "ReplicaFailure")
    if failure is not None:
        yield failure.message, failure.said()
    elif found.lacks(kind) or kind == "CronJob":
        for event in around.events(found.metadata, kind):
            # What was made since then was not refused.
            if event.reason == "SuccessfulCreate":
                return
            if event.reason == "FailedCreate":
                yield event.message, event.said()


def _cause(
    kind: str, found: Workload, around: Around, saying: Saying, facts: dict[str, str],
    said: Evidence,
) -> Cause:  # fmt: skip
    every = [said]
    quotas: list[Quota] = around.many("quotas", found.metadata.namespace) or []
    every += [_now(quota) for quota in quotas if quota.metadata.name == facts.get("quota")]
    if saying in LIMITS:
        limits: list[LimitRange] = around.many("limits", found.metadata.namespace) or []
        every += [_bounds(each) for each in limits]
    return cause(saying, about(kind, found.metadata), every, **facts)


def _bounds(limits: LimitRange) -> Evidence:
    """What a limit range allows."""
    text = "; ".join(
        f"{each.type} {word} {', '.join(f'{k}={v}' for k, v in sorted(bound.items()))}"
        for each in limits.spec.limits
        for word, bound in (("min", each.min), ("max", each.max))
        if bound
    )
    return evidence("field", f"LimitRange {limits.metadata.name} spec.limits", text)


def _now(quota: Quota) -> Evidence:
    """How far a quota is used now."""
    used, hard = quota.status.used, quota.status.hard
    text = ", ".join(f"{name}: {used.get(name, '0')} / {hard[name]}" for name in sorted(hard))
    return evidence("field", f"ResourceQuota {quota.metadata.name} status", text)
