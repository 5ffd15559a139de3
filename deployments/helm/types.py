"""What the adapter takes and gives: frozen records, no behaviour."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Program:
    """A program found on this machine; `version` has no leading v."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        """First number of the version: Helm 3 and 4 differ in flags."""
        return int(self.version.split(".", 1)[0])


@dataclass(frozen=True, slots=True)
class Release:
    """A release at its newest revision; `status` in Helm's words (deployed, failed, pending-…)."""

    name: str
    namespace: str
    revision: int
    status: str
    chart: str
    chart_version: str
    app_version: str
    updated: datetime
    description: str = ""

    @property
    def pending(self) -> bool:
        """Whether Helm holds it locked."""
        return self.status.startswith("pending-")


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of a release's history."""

    revision: int
    status: str
    chart: str
    chart_version: str
    app_version: str
    updated: datetime
    description: str


@dataclass(frozen=True, slots=True)
class Install:
    """What to install in a namespace that is there.

    `chart` is an archive, checked by `charts.inspect` before Helm sees it.
    """

    namespace: str
    release: str
    chart: bytes | Path = field(repr=False)
    values: str = field(default="", repr=False)
    wait: bool = True
    timeout: int = 300
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What to upgrade to. `values` replaces the old ones unless `reuse_values` (then it merges)."""

    namespace: str
    release: str
    chart: bytes | Path = field(repr=False)
    values: str = field(default="", repr=False)
    wait: bool = True
    timeout: int = 300
    atomic: bool = False
    reuse_values: bool = False


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """An object named in a manifest; `namespace` is empty where the manifest names none."""

    api_version: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class ChartInfo:
    """What a checked archive says of itself; `digest` is the sha256 of the archive as given."""

    name: str
    version: str
    app_version: str
    description: str
    digest: str
    size: int
    values: str
    readme: str
    has_schema: bool
