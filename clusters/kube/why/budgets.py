"""Pod disruption budgets that let no pod be evicted."""

from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why.cause import WAITING, Cause, Saying, cause, evidence
from clusters.kube.why.neighbours import Budget
from clusters.kube.why.parts import about, is_false, selects
from clusters.kube.why.pod import Pod

BLOCKS = Saying(
    "budget_blocks",
    WAITING,
    sentence(
        "The disruption budget %(budget)s lets no pod be evicted: it wants %(desired)s"
        " healthy pods and there are %(current)s."
    ),
    sentence(
        "Make unhealthy pods healthy, add replicas, or have the budget changed; then evict again."
    ),
)
NEVER = Saying(
    "budget_never_allows",
    WAITING,
    sentence(
        "The disruption budget %(budget)s never lets a pod be evicted: it wants all"
        " %(desired)s pods healthy at all times."
    ),
    sentence(
        "Add a replica, or allow the budget one unavailable pod; else these pods can only"
        " be deleted."
    ),
)
FAILED = Saying(
    "budget_failed",
    WAITING,
    sentence(
        "The disruption budget %(budget)s lets no pod be evicted: the cluster cannot work"
        " out how many pods are to be healthy."
    ),
    sentence("Its condition beside this says why; the pods' controller must support a scale."),
)
SEVERAL = Saying(
    "budgets_overlap",
    WAITING,
    sentence(
        "More than one disruption budget picks this pod (%(budget)s), and then the"
        " cluster never evicts it."
    ),
    sentence("Change the selectors so that one budget at most picks a pod."),
)


def of_budget(budget: Budget) -> Iterator[Cause]:
    """Why a budget lets no pod go; nothing when it does, or picks none."""
    status = budget.status
    failed = is_false(budget.status.conditions, "DisruptionAllowed")
    if status.disruptions_allowed > 0 or not (status.expected_pods or failed):
        return
    saying = BLOCKS
    if failed is not None and failed.reason == "SyncFailed":
        saying = FAILED
    elif status.desired_healthy >= status.expected_pods > 0:
        saying = NEVER
    text = (
        f"disruptionsAllowed {status.disruptions_allowed}, currentHealthy {status.current_healthy},"
        f" desiredHealthy {status.desired_healthy}, expectedPods {status.expected_pods}"
    )
    said = [evidence("field", "status", text)] + ([failed.said()] if failed else [])
    yield cause(
        saying,
        about("PodDisruptionBudget", budget.metadata),
        said,
        budget=budget.metadata.name,
        desired=status.desired_healthy,
        current=status.current_healthy,
    )


def of_eviction(pod: Pod, budgets: list[Budget], refusal: str) -> list[Cause]:
    """Why the eviction of a pod was refused; `refusal` is what the API server answered."""
    mine = [budget for budget in budgets if selects(budget.spec.selector, pod.metadata.labels)]
    names = ", ".join(budget.metadata.name for budget in mine)
    said = [evidence("answer", "429", refusal)] if refusal else []
    if len(mine) > 1:
        return [cause(SEVERAL, about("Pod", pod.metadata), said, budget=names)]
    return [each for budget in mine for each in of_budget(budget)]
