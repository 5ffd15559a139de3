"""Names each system program that some tests need and this machine lacks, and how to get it."""

import shutil
import sys

# What it is for, and any one of these programs.
NEEDED = {
    "chromium": ("the tests in a browser", ("chromium", "chromium-browser", "google-chrome")),
    "gettext": ("the check of translations", ("msgfmt",)),
}


def main() -> None:
    for package, (purpose, programs) in NEEDED.items():
        if not any(shutil.which(program) for program in programs):
            sys.stdout.write(
                f"Missing {package}, for {purpose}: apt-get update && apt-get install {package}\n"
            )


if __name__ == "__main__":
    main()
