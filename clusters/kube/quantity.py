"""Kubernetes quantities ("250m", "1.5", "128Mi", "1e3") as whole numbers.

The grammar is that of k8s.io/apimachinery/pkg/api/resource; like its Value and MilliValue these
round up. Our own, because the official client's parser takes 20 MB of client with it into every
watcher, makes a Decimal each time and multiplies out whatever exponent a cluster sends.
"""

import re

from clusters.kube.cached import cached

MEBIBYTE = 1024 * 1024
LARGEST = 2**63 - 1
# A quantity keeps 19 digits; what is far longer is no API server's.
_GRAMMAR = re.compile(
    r"\+?(\d{1,32})?(?:\.(\d{0,32}))?([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,2})?\Z", re.ASCII
)
_BINARY = {f"{letter}i": 10 * power for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {
    **{"": 0, "n": -9, "u": -6, "m": -3},
    **{letter: 3 * power for power, letter in enumerate("kMGTPE", 1)},
}


@cached(8192, len)
def millis(text: str) -> int:
    """Thousandths of what `text` says: CPU in millicores. 0 for what is no positive quantity."""
    return _scaled(text, 1000)


def nanos(text: str) -> int:
    """Billionths, as the metrics API counts CPU; not kept, since each figure is another."""
    return _scaled(text, 1_000_000_000)


@cached(8192, len)
def whole(text: str) -> int:
    """What `text` says in whole units: bytes of memory, pods. 0 as above."""
    return _scaled(text, 1)


def mebibytes(count: int) -> int:
    """Bytes as MiB, rounded to the nearest."""
    return (count + MEBIBYTE // 2) // MEBIBYTE


def _scaled(text: str, factor: int) -> int:
    """`text` times `factor`, rounded up, at most 2^63 - 1."""
    found = _GRAMMAR.match(text)
    if found is None:
        return 0
    before, after, suffix = (part or "" for part in found.groups())
    if not before and not after:
        return 0
    number = int(before + after) * factor
    power = -len(after)
    if suffix in _BINARY:
        number <<= _BINARY[suffix]
    else:
        power += _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
    above: int = 10 ** max(power, 0)
    below: int = 10 ** max(-power, 0)
    return min(-(-number * above // below), LARGEST)
