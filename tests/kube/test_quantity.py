import pytest

from clusters.kube import quantity
from clusters.kube.kinds import KINDS
from clusters.kube.project.requests import Asked, effective
from clusters.kube.schema import MESSAGE

LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("1", 1000),
        ("250m", 250),
        ("1.5", 1500),
        ("0.1", 100),
        (".5", 500),
        ("1.", 1000),
        ("+2", 2000),
        ("1e3", 1_000_000),
        ("1E3", 1_000_000),
        ("1e-2", 10),
        ("2k", 2_000_000),
        ("100u", 1),
        ("1500u", 2),
        ("1n", 1),
        ("0", 0),
        ("0.0001", 1),
    ],
)
def test_cpu(text: str, millis: int) -> None:
    assert quantity.millis(text) == millis


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("128Mi", 128 * 2**20),
        ("1.5Gi", 3 * 2**29),
        ("1Ki", 1024),
        ("1Ti", 2**40),
        ("1Pi", 2**50),
        ("1Ei", 2**60),
        ("1G", 10**9),
        ("1E", 10**18),
        ("12345k", 12_345_000),
        ("129e6", 129_000_000),
        ("128974848000m", 128_974_848),
        ("1m", 1),
        ("16Ei", LARGEST),
        ("1e99", LARGEST),
        ("9223372036854775807", LARGEST),
    ],
)
def test_memory(text: str, whole: int) -> None:
    assert quantity.whole(text) == whole


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "m", "-1", "1 Gi", "1Gi ", "1gi", "1K", "0x10", "1e", "1e+", "1e1000000000"),
        *("NaN", "Infinity", "1_000", "\u0661", "1\n", "1,5", "1mi", "9" * 100, "--1", "1Mi1"),
    ],
)
def test_hostile_quantities_are_nothing(text: str) -> None:
    assert quantity.millis(text) == quantity.whole(text) == 0


@pytest.mark.parametrize(
    ("size", "mebibytes"), [(0, 0), (2**19 - 1, 0), (2**19, 1), (100_000_000, 95)]
)
def test_mebibytes_are_rounded(size: int, mebibytes: int) -> None:
    assert quantity.mebibytes(size) == mebibytes


def asks(cpu: str = "", memory: str = "") -> bytes:
    """The undecoded resources of a container."""
    named = {"cpu": cpu, "memory": memory, "example.com/gpu": "1"}
    requests = [{"key": key, "value": {"string": text}} for key, text in named.items() if text]
    made: bytes = MESSAGE["Resources"](requests=requests).SerializeToString()
    return made


def over(key: str, text: str) -> bytes:
    made: bytes = MESSAGE["Amount"](key=key, value={"string": text}).SerializeToString()
    return made


ALONE: tuple[tuple[bool, bytes], ...] = ()


@pytest.mark.parametrize(
    ("containers", "init", "overhead", "pod", "amounts"),
    [
        ((asks("250m", "128Mi"), asks("1", "1Gi")), ALONE, (), b"", (1250, 1152)),
        ((asks(),), ALONE, (), b"", (0, 0)),
        # The largest init container counts when it needs more than what runs afterwards.
        ((asks("250m", "1Gi"),), ((False, asks("2", "64Mi")),), (), b"", (2000, 1024)),
        # Sidecars stay beside the containers, and beside the init containers after them.
        ((asks("500m"),), ((True, asks("100m")), (False, asks("450m"))), (), b"", (600, 0)),
        ((asks("500m"),), ((True, asks("100m")), (False, asks("700m"))), (), b"", (800, 0)),
        ((asks("500m"),), ((False, asks("550m")), (True, asks("100m"))), (), b"", (600, 0)),
        ((asks("500m", "1Gi"),), ALONE, (over("cpu", "250m"), over("memory", "120Mi")), b"",
         (750, 1144)),
        # What is asked for the whole pod replaces the sum, resource by resource.
        ((asks("500m", "1Gi"),), ALONE, (), asks("2"), (2000, 1024)),
        ((asks("500m"),), ALONE, (over("cpu", "1"),), asks("2"), (3000, 0)),
        ((asks("hostile", "-1"),), ALONE, (), b"", (0, 0)),
        ((asks("1e30", "1e30"),), ALONE, (), b"", (2**31 - 1, 2**31 - 1)),
    ],
)  # fmt: skip
def test_effective_requests(
    containers: tuple[bytes, ...],
    init: tuple[tuple[bool, bytes], ...],
    overhead: tuple[bytes, ...],
    pod: bytes,
    amounts: tuple[int, int],
) -> None:
    assert effective(Asked(containers, init, overhead, pod)) == amounts


def test_a_pod_and_a_node_have_their_amounts() -> None:
    resources = MESSAGE["Container"](name="app", resources=asks("1500m", "2Gi"))
    metadata = {"name": "web", "uid": "uid-1", "resourceVersion": "1"}
    pod = MESSAGE["Pod"](metadata=metadata, spec={"containers": [resources]})
    given = [("cpu", "3920m"), ("memory", "15Gi"), ("pods", "110")]
    allocatable = [{"key": key, "value": {"string": text}} for key, text in given]
    node = MESSAGE["Node"](metadata=metadata, status={"allocatable": allocatable})
    found = [KINDS["Pod"].project(pod), KINDS["Node"].project(node)]
    assert [(row.cpu, row.memory) for row in found] == [(1500, 2048), (3920, 15360)]
    assert found[1].facts == {"pods": "110"}
