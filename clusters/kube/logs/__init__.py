"""The logs of containers: asked for, cut into safe lines, and those of many merged by time."""

from clusters.kube.logs.asking import Container, PodSeen, Wanted, pod
from clusters.kube.logs.lines import Line, plain
from clusters.kube.logs.merging import Merger
from clusters.kube.logs.reading import read

__all__ = ["Container", "Line", "Merger", "PodSeen", "Wanted", "plain", "pod", "read"]
