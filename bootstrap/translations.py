"""Translations: `check` that every text is translated and compiled, `update` the files."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.management.commands import makemessages

PROJECT = Path(__file__).resolve().parent.parent
LANGUAGE = "zh_Hans"
CATALOGUE = Path("locale") / LANGUAGE / "LC_MESSAGES" / "django.po"
# Adapters speak English and know no Django; the pages translate what their errors say.
ERRORS = (
    "sentence", "KubeconfigError:2", "Unreachable", "TimedOut", "Silent", "BadAnswer", "NotFound",
    "BadChart", "BadValues", "Failed",
)  # fmt: skip
SOURCES = (
    "mcm",
    "teams",
    "clusters",
    "operations",
    "explorer",
    "kubectl",
    "deployments",
    "monitoring_app",
)


def main(command: str, *arguments: str) -> int:
    if command == "collect":
        return _makemessages(list(arguments))
    if shutil.which("msgfmt") is None:
        sys.stderr.write("The check of translations needs gettext: apt-get install gettext\n")
        return 1
    if command == "update":
        _collect(PROJECT)
        return _run("msgfmt", CATALOGUE, "-o", CATALOGUE.with_suffix(".mo"), folder=PROJECT)[0]
    problems = _problems()
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


def _problems() -> list[str]:
    """What is wrong with the catalogue; the sources are read in a copy, so nothing changes."""
    if not (PROJECT / CATALOGUE).exists():
        return [f"{CATALOGUE} does not exist: make messages"]
    found = []
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for source in (*SOURCES, "templates", "locale"):
            shutil.copytree(PROJECT / source, copy / source, dirs_exist_ok=True)
        _collect(copy)
        for kind in ("untranslated", "only-fuzzy"):
            found += [
                f"{CATALOGUE}: {kind.removeprefix('only-')}: {text}"
                for text in _texts(copy / CATALOGUE, kind)
            ]
        compiled = copy / "fresh.mo"
        code, output = _run("msgfmt", "--check", PROJECT / CATALOGUE, "-o", compiled, folder=copy)
        if code != 0:
            found.append(output.strip())
        elif not _same(compiled, (PROJECT / CATALOGUE).with_suffix(".mo")):
            found.append(f"{CATALOGUE.with_suffix('.mo')} is not compiled from it: make messages")
    return found


def _collect(folder: Path) -> None:
    """`makemessages` in the folder: texts of the sources go into its catalogue."""
    (folder / CATALOGUE).parent.mkdir(parents=True, exist_ok=True)
    arguments = [__file__, "collect", "--locale", LANGUAGE, "--no-location"]
    arguments += ["--ignore", "testbed/*", "--ignore", "frontend/*", "--ignore", "tests/*"]
    # Not the locks: files named .txt count as templates unless told otherwise.
    arguments += ["--extension", "html,py"]
    code, output = _run(sys.executable, *arguments, folder=folder)
    if code == 0:
        # Sentences with values in them (f-strings) are found too, but are never looked up.
        catalogue = folder / CATALOGUE
        arguments = ["--invert-match", "--msgid", "--regexp", "[{]", "--output-file"]
        code, output = _run("msggrep", *arguments, catalogue, catalogue, folder=folder)
    if code != 0:
        sys.exit(output)


def _makemessages(arguments: list[str]) -> int:
    """Django's command, which also takes the sentences of the adapters' errors."""
    settings.configure()

    class Command(makemessages.Command):
        xgettext_options = [
            *makemessages.Command.xgettext_options,
            *(f"--keyword={word}" for word in ERRORS),
        ]

    Command().run_from_argv(["django", "makemessages", *arguments])
    return 0


def _texts(catalogue: Path, kind: str) -> list[str]:
    """The msgids of one kind."""
    arguments = ["--no-obsolete", "--no-wrap", f"--{kind}", str(catalogue)]
    _, output = _run("msgattrib", *arguments, folder=catalogue.parent)
    return [
        line.removeprefix("msgid ")
        for line in output.splitlines()
        if line.startswith("msgid ") and line != 'msgid ""'
    ]


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


def _run(program: str, *arguments: str | Path, folder: Path) -> tuple[int, str]:
    # Without settings: makemessages needs none, and a copy of the sources has none to give.
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [program, *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
