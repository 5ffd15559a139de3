"""`python -m testbed.proxy PORT`: each line of the input is a mode and its amount."""

import argparse
import sys

from testbed.proxy import MODES, Proxy


def main(arguments: list[str] | None = None) -> int:
    """Proxy until the end of the input."""
    parser = argparse.ArgumentParser(prog="python -m testbed.proxy", description=__doc__)
    parser.add_argument("target", type=int, help="the port of the server on 127.0.0.1")
    with Proxy(parser.parse_args(arguments).target) as proxy:
        print(f"{proxy.url} -> {proxy.target}", flush=True)
        for line in sys.stdin:
            print(_obey(proxy, line.split()), flush=True)
    return 0


def _obey(proxy: Proxy, words: list[str]) -> str:
    mode = next((mode for mode in MODES if words[:1] == [mode]), None)
    if mode is None:
        return f"a mode is one of: {', '.join(MODES)}"
    proxy.set(mode, float(words[1]) if words[1:] else 0.0)
    return f"{mode}: {proxy.open} open"


if __name__ == "__main__":
    sys.exit(main())
