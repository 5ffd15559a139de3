"""The logs of many pods of many clusters, gathered for one reader for as long as he may read them.

`gathering` keeps them in step with what he may see, `following` opens them, `desk` is where they
lay their lines until he takes them, `source` is one container's log.
"""

from explorer.collector.gathering import Batch, Gathering
from explorer.collector.sight import Eyes, Options, Pod, Sight, Way
from explorer.collector.source import Source, State

__all__ = ["Batch", "Eyes", "Gathering", "Options", "Pod", "Sight", "Source", "State", "Way"]
