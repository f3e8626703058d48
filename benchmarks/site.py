"""The site of a published shop: time to build it, its largest page, and how soon Chromium has a page ready, from disk.

Reads what is published (`make demo` first); of a shop that has published nothing it says so.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from benchmarks.measuring import Measured, Row, median_seconds, peak_memory, run_python, write_results
from shops import ShopFolders

ROUNDS = 3
VIEWPORT = {"width": 1280, "height": 900}


def main() -> None:
    """Measure, print, rewrite the results."""
    database = ShopFolders.of().current / "audience.duckdb"
    if not database.exists():
        print(f"nothing is published at {database}: make demo first")
        return
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        built: list[Measured] = [
            run_python("-m", "pages", "--database", str(database), "--output", str(site)) for _ in range(ROUNDS)
        ]
        sizes = [file.stat().st_size for file in site.iterdir()]
        rows = [
            Row(
                f"site of {len(sizes)} pages, largest page {max(sizes) / 1e6:.2f} MB (goal 5)",
                median_seconds(built),
                "under 20 s",
                rows=len(sizes),
                peak_memory_mb=peak_memory(built),
            )
        ]
        if browser := shutil.which("chromium"):
            seconds = _ready_after(site, browser)
            rows.append(Row("slowest page in Chromium, from disk", round(max(seconds), 3), "under 1 s", len(seconds)))
            middle = round(statistics.median(seconds), 3)
            rows.append(Row("a page in Chromium, from disk, median", middle, "under 1 s", len(seconds)))
    file = write_results("site", rows)
    for row in rows:
        print(f"{row.name}: {row.ours_seconds} s ({row.goal})")
    print(f"written to {file}")


def _ready_after(site: Path, browser: str) -> list[float]:
    """Seconds to the end of a page's load event, the median of the rounds; the browser runs already."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_context(viewport=VIEWPORT, offline=True).new_page()  # type: ignore[arg-type]
        found = []
        for file in sorted(site.glob("*.html")):
            rounds = []
            for _ in range(ROUNDS):
                page.goto(file.as_uri())
                rounds.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000)
            found.append(statistics.median(rounds))
        chromium.close()
    return found


if __name__ == "__main__":
    main()
