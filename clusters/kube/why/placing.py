"""How it is told that no node takes a pod: the sentences for `pending`."""

from clusters.kube.errors import sentence
from clusters.kube.why.cause import PLACE, WAITING, Saying
from clusters.kube.why.scheduling import Sort

TAINTS = Saying(
    "pending_taints",
    PLACE,
    sentence(
        "%(count)s of %(nodes)s nodes are closed to this pod by taints that it does not"
        " tolerate: %(taints)s"
    ),
    sentence(
        "Add a toleration to the pod's template if it belongs on such nodes, or take the taint off."
    ),
)
NODES_DOWN = Saying(
    "pending_nodes_not_ready",
    PLACE,
    sentence("%(count)s of %(nodes)s nodes are not ready or out of reach (%(taints)s)."),
    sentence("Look at these nodes: the pod can be placed when they are ready again."),
)
CORDONED = Saying(
    "pending_cordoned",
    PLACE,
    sentence("%(count)s of %(nodes)s nodes take no new pods: they are cordoned."),
    sentence("Uncordon a node when its maintenance is over (kubectl uncordon)."),
)
SELECTOR = Saying(
    "pending_node_selector",
    PLACE,
    sentence("%(count)s of %(nodes)s nodes are not what the pod asks for: %(wanted)s"),
    sentence("Mend nodeSelector or nodeAffinity in the pod's template, or label a node so."),
)
AFFINITY = Saying(
    "pending_pod_affinity",
    PLACE,
    sentence(
        "The pod's rules about which pods it must, or must not, stand beside rule out"
        " %(count)s of %(nodes)s nodes (%(wanted)s)."
    ),
    sentence(
        "Soften podAffinity or podAntiAffinity to preferred, add nodes, or run fewer replicas."
    ),
)
OTHERS = Saying(
    "pending_others_affinity",
    PLACE,
    sentence(
        "Pods that run on %(count)s of %(nodes)s nodes do not want this pod beside them"
        " (podAntiAffinity)."
    ),
    sentence("Add nodes, or soften podAntiAffinity of those pods or the labels of this one."),
)
SPREAD = Saying(
    "pending_topology_spread",
    PLACE,
    sentence(
        "The pod must be spread evenly over %(wanted)s, and that rules out %(count)s of"
        " %(nodes)s nodes."
    ),
    sentence(
        "Add nodes where there are too few pods, raise maxSkew, or set whenUnsatisfiable"
        " to ScheduleAnyway."
    ),
)
PORT = Saying(
    "pending_host_port",
    PLACE,
    sentence(
        "The host port %(wanted)s that the pod asks for is taken on %(count)s of %(nodes)s nodes."
    ),
    sentence("Leave hostPort out and use a Service, or run no more pods than nodes."),
)
UNBOUND = Saying(
    "pending_pvc",
    PLACE,
    sentence(
        "The pod waits for its PersistentVolumeClaims (%(wanted)s): they are not bound to volumes."
    ),
    sentence("Look at why the claims are not bound."),
)
NO_CLAIM = Saying(
    "pending_pvc_missing",
    PLACE,
    sentence(
        "The PersistentVolumeClaim %(about)s that the pod mounts does not exist or is"
        " being deleted."
    ),
    sentence("Make the claim in this namespace, or mend claimName in the pod's template."),
)
NO_VOLUME = Saying(
    "pending_no_volume",
    PLACE,
    sentence(
        "There is no free volume for the pod's claims (%(wanted)s) that %(count)s of"
        " %(nodes)s nodes could use."
    ),
    sentence("Make PersistentVolumes that fit, or use a storage class that makes them."),
)
ZONE = Saying(
    "pending_volume_zone",
    PLACE,
    sentence("The pod's volume is in another place than %(count)s of %(nodes)s nodes (%(where)s)."),
    sentence(
        "Free or add a node in the volume's zone; for new volumes use a class with"
        " WaitForFirstConsumer."
    ),
)
STORAGE = Saying(
    "pending_storage_full",
    PLACE,
    sentence("%(count)s of %(nodes)s nodes have too little storage left for the pod's new volume."),
    sentence("Ask for less in the claim, or give the storage more capacity."),
)
VOLUME_LIMIT = Saying(
    "pending_volume_limit",
    PLACE,
    sentence("%(count)s of %(nodes)s nodes hold as many volumes as they can."),
    sentence("Add nodes, or let pods with volumes go to other ones."),
)
IN_USE = Saying(
    "pending_volume_in_use",
    PLACE,
    sentence("The pod's volume is in use by another pod, and only one may have it."),
    sentence("End the other pod first, or use a volume with ReadWriteMany."),
)
NAME = Saying(
    "pending_node_name",
    PLACE,
    sentence("The pod asks for one node by its name, and that is not among the %(nodes)s nodes."),
    sentence("Mend the name in the pod's template."),
)
DEVICE = Saying(
    "pending_device",
    PLACE,
    sentence(
        "The devices that the pod claims are not free on %(count)s of %(nodes)s nodes: %(words)s"
    ),
    sentence("Look at the pod's resource claims and at the driver of these devices."),
)
OTHER = Saying(
    "pending_other",
    PLACE,
    sentence("%(count)s of %(nodes)s nodes cannot take the pod: %(words)s"),
    sentence("These are the scheduler's own words."),
)
NO_NODES = Saying(
    "pending_no_nodes",
    PLACE,
    sentence("The cluster has no nodes."),
    sentence("Add a node; if there should be some, look at why they do not join."),
)
GATED = Saying(
    "scheduling_gated",
    PLACE,
    sentence("The pod is held back by scheduling gates: %(wanted)s"),
    sentence("What set the gates (a queue, a quota controller) has to take them away: look there."),
)
UNSEEN = Saying(
    "pending_unseen",
    PLACE,
    sentence("No scheduler has looked at the pod yet; it asks for the scheduler %(wanted)s."),
    sentence("See that this scheduler runs, or mend schedulerName in the pod's template."),
)
FAILED = Saying(
    "pending_failed",
    WAITING,
    sentence("The scheduler could not place the pod."),
    sentence("Its message stands beside this."),
)
SAYINGS: dict[Sort, Saying] = {
    "cordoned": CORDONED, "selector": SELECTOR, "affinity": AFFINITY, "others": OTHERS,
    "spread": SPREAD,
    "port": PORT, "claim": NO_CLAIM, "unbound": UNBOUND, "no_volume": NO_VOLUME, "zone": ZONE,
    "storage": STORAGE, "volume_limit": VOLUME_LIMIT, "in_use": IN_USE, "name": NAME,
    "device": DEVICE, "other": OTHER,
}  # fmt: skip
