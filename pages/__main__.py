"""`python -m pages --database FILE --output FOLDER`: build the site from a published database."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from pages.site import SiteError, build_site


def main() -> int:
    """Build, and say what came out."""
    parser = argparse.ArgumentParser(prog="python -m pages", description=__doc__)
    parser.add_argument("--database", type=Path, required=True, help="published audience.duckdb")
    parser.add_argument("--output", type=Path, required=True, help="folder of the site; replaced")
    arguments = parser.parse_args()
    started = time.perf_counter()
    try:
        built = build_site(arguments.database, arguments.output)
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    seconds = time.perf_counter() - started
    print(f"{built.pages} pages in {seconds:.1f} s, the largest {built.largest_bytes / 1e6:.2f} MB: {built.index}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
