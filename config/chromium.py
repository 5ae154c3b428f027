"""Finds a Chromium for the browser tests, installs Debian's where it may, or says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The browser's path: CHROMIUM from the environment, or the first known name on PATH."""
    given = os.environ.get("CHROMIUM")
    return given or next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    print("No Chromium found; installing Debian's for the browser tests ...", file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
        subprocess.run(
            ["apt-get", *arguments],
            check=False,
            env=environment,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )


def main() -> int:
    if not find() and shutil.which("apt-get") and os.geteuid() == 0:
        install()
    if find():
        return 0
    print(
        "The browser tests need Chromium: install it (Debian, Ubuntu: apt-get install chromium) "
        "or set CHROMIUM to its path.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
