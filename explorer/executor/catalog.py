"""What can be done to objects: the acts, how they are called, and what is asked before them."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.kube.acting import needs
from clusters.kube.acting.needs import Least
from clusters.kube.kinds import KINDS
from clusters.kube.roles import Custom
from clusters.models import CustomResource

Text = Promise | str


@dataclass(frozen=True)
class Act:
    """An act as people meet it. `text` says before it what will happen.

    `harmful`: where the environment is prod its name must be typed; `grave`: who asks for it there
    shows again who it is. `back` says by what it can be taken back.
    """

    name: str
    label: Text
    icon: str
    text: Text
    harmful: bool = True
    grave: bool = False
    back: Text = ""

    @property
    def kind(self) -> str:
        """The kind of its operations."""
        return f"object.{self.name}"


_AGAIN = _("Undo stands on the page of the operation.")

ACTS = {
    act.name: act
    for act in (
        Act("restart", _("Restart"), "rotate-clockwise-2",
            _("All pods are made anew, as the update strategy says: a few at a time, or all at"
              " once. The operation ends when they are ready."), back=_AGAIN),
        Act("scale", _("Scale"), "scale",
            _("The number of pods is changed. The operation ends when they are ready."),
            back=_AGAIN),
        Act("pause", _("Pause rollouts"), "player-pause",
            _("Changes of the pod template are rolled out no more until the rollouts are resumed."
              " Pods that run stay."), back=_AGAIN),
        Act("resume", _("Resume rollouts"), "player-play",
            _("What was changed meanwhile is rolled out now."), harmful=False, back=_AGAIN),
        Act("rollback", _("Undo rollout"), "history",
            _("An earlier pod template is rolled out again."), back=_AGAIN),
        Act("trigger", _("Run now"), "player-play",
            _("A Job is begun from the template, beside the schedule.")),
        Act("suspend", _("Suspend"), "player-pause",
            _("No more Jobs are begun by the schedule. Those that run go on."), back=_AGAIN),
        Act("unsuspend", _("Resume schedule"), "player-skip-forward",
            _("Jobs are begun by the schedule again."), harmful=False, back=_AGAIN),
        Act("evict", _("Evict"), "logout",
            _("The pod goes if its disruption budgets allow it. What owns it makes another.")),
        Act("cordon", _("Cordon"), "ban",
            _("The node takes no new pods. Those that run stay."), back=_AGAIN),
        Act("uncordon", _("Uncordon"), "circle-check",
            _("The node takes new pods again."), harmful=False, back=_AGAIN),
        Act("drain", _("Drain"), "cloud-off",
            _("The node takes no new pods, and those that run are evicted as their disruption"
              " budgets allow. Pods of DaemonSets stay."), grave=True, back=_AGAIN),
        Act("label", _("Label"), "tag",
            _("Labels decide what Services, workloads and policies pick."), back=_AGAIN),
        Act("annotate", _("Annotate"), "note",
            _("Annotations may change what controllers do."), back=_AGAIN),
        Act("delete", _("Delete"), "trash",
            _("The object is gone for ever, and what it owns goes with it."), grave=True),
    )
}  # fmt: skip

# What is written as YAML: these have pages of their own, and no button among the acts.
WRITTEN = {
    act.name: act
    for act in (
        Act("edit", _("Edit YAML"), "edit",
            _("The object is replaced by what is written, as long as nobody else has changed it."),
            back=_AGAIN),
        Act("revert", _("Put back"), "arrow-back-up",
            _("What the edit changed is put back. Where others have changed the same since, nothing"
              " is done."), back=_AGAIN),
        Act("apply", _("Apply YAML"), "file-plus",
            _("What is not there is made; of what is there the written fields are set.")),
    )
}  # fmt: skip

# As callers of the API name them.
NAMES = sorted(ACTS)


def offered(kind: str) -> list[Act]:
    """The acts for objects of the kind, where any role may do them."""
    return [act for act in ACTS.values() if needs.fits(act.name, kind) and least(act, kind)]


def least(act: Act, kind: str, resource: CustomResource | None = None) -> Least | None:
    """The least role that may; None where no role of MCM has the rights in the cluster."""
    if kind in KINDS:
        return needs.least(needs.needs(act.name, KINDS[kind].path))
    if resource is None:  # of whatever cluster: as they are for operators
        name, _dot, group = kind.partition(".")
        custom = Custom(group, name, namespaced=True)
    else:
        custom = Custom(resource.group, resource.plural, resource.namespaced)
    path = f"/apis/{custom.group}/v1/{custom.plural}"
    return needs.least(needs.needs(act.name, path), custom)
