"""Rules about files that no linter knows."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
LONGEST_FILE = 300
LONGEST_TEMPLATE = 80
LONGEST_PARTIAL = 60
# Python files that may be longer, each with its reason.
LONGER: dict[str, str] = {}
NOWORDS = {"utils", "util", "helpers", "helper", "common", "misc"}


def files(*kinds: str) -> list[Path]:
    """The files of the repository, also those not yet committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *kinds]
    listed = subprocess.check_output(command, cwd=ROOT, text=True)
    found = [ROOT / name for name in listed.split("\0") if name]
    return [file for file in found if file.exists() and "static/vendor/" not in str(file)]


def length(file: Path) -> int:
    return len(file.read_text().splitlines())


def test_no_python_file_is_too_long() -> None:
    long = {str(file.relative_to(ROOT)): length(file) for file in files("*.py")}
    assert {name: n for name, n in long.items() if n > LONGEST_FILE} == dict.fromkeys(LONGER)


def test_no_file_is_named_after_nothing() -> None:
    found = files("*.py", "*.html", "*.js", "*.css")
    assert len(found) > 100
    assert [file for file in found if file.stem.lower() in NOWORDS] == []


def test_templates_are_small() -> None:
    assert [file for file in files("*.html") if length(file) > LONGEST_TEMPLATE] == []


def test_parts_of_pages_are_small() -> None:
    # The innermost ones first: a part is counted without those inside it.
    block = re.compile(
        r"{% partialdef (\w+)[^%]*%}((?:(?!{% partialdef).)*?){% endpartialdef[^%]*%}", re.DOTALL
    )
    parts: list[tuple[str, str, int]] = []
    for file in files("*.html"):
        text = file.read_text()
        while found := block.search(text):
            parts.append((file.name, found[1], found[2].count("\n")))
            text = text.replace(found[0], "", 1)
    assert len(parts) > 5
    assert [part for part in parts if part[2] > LONGEST_PARTIAL] == []


def test_pages_extend_the_base_and_components_know_no_app() -> None:
    alone = {"base.html", "500.html", "login.html"}  # the frame, and two that stand without it
    for file in files("templates/*.html"):
        text = file.read_text()
        if "components" in file.parts:
            assert "{% extends" not in text, file
            assert not re.search(r"{% url '(?!set_language)", text), file
        elif "admin" in file.parts:
            continue  # stands in the frame of its theme
        elif "{% block content %}" in text and file.name not in alone:
            assert text.startswith('{% extends "base.html" %}'), file
