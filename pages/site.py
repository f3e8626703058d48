"""Puts the pages together and lays them down, all at once: a reader finds the old site or the new one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import jinja2

from pages import freshness, models, moves, overview, quality, reach, retention, rfm, segments, value, web_paths, words
from pages.page import Page, segment_file
from pages.published import Published, Shop, opened

TEMPLATES = Path(__file__).with_name("templates")
INDEX = "index.html"

# In the order of the navigation.
THEMES: tuple[Callable[[Published, Shop], Page], ...] = (
    overview.page,
    moves.page,
    rfm.page,
    retention.page,
    web_paths.page,
    value.page,
    models.page,
    reach.page,
    quality.page,
    freshness.page,
)


class SiteError(Exception):
    """The site could not be built; says why and what to do."""


@dataclass(frozen=True)
class PageCount:
    """What was built."""

    index: Path
    pages: int
    largest_bytes: int


def build_site(database: Path, output: Path) -> PageCount:
    """Build the site of the published `database` into the folder `output`, which is replaced.

    Raises
    ------
    SiteError
        The database is not there or lacks a table of the marts, or a page could not be made.
    """
    if not database.exists():
        raise SiteError(f"the site needs the published database, and {database} is not there. Next: make run")
    fresh = output.with_name(f".{output.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        with opened(database) as published:
            sizes = [_write(fresh / file, html) for file, html in rendered(published)]
    except duckdb.Error as error:
        raise SiteError(
            f"the site could not read {database}: {error}. Next: publish anew with this version (make run)."
        ) from error
    except (jinja2.TemplateError, ValueError) as error:
        raise SiteError(f"a page of the site could not be made: {error}. Next: python -m pages shows where.") from error
    shutil.rmtree(output, ignore_errors=True)
    fresh.rename(output)
    return PageCount(output / INDEX, len(sizes), max(sizes))


def rendered(published: Published) -> Iterator[tuple[str, str]]:
    """Each page's file and HTML."""
    shop = Shop.of(published)
    themes = [theme(published, shop) for theme in THEMES]
    environment = _environment(shop)
    navigation = [(page.file, page.title) for page in themes]
    for page in [*themes, *segments.pages(published)]:
        template = environment.get_template(page.template)
        yield page.file, template.render(page=page, navigation=navigation, **page.context)


def _environment(shop: Shop) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals["shop"] = shop
    environment.globals["segment_file"] = segment_file
    environment.globals["style"] = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    for name in ("number", "signed", "percent", "day", "duration", "spaced"):
        environment.filters[name] = getattr(words, name)
    environment.filters["money"] = lambda value: words.money(value, shop.currency)
    return environment


def _write(file: Path, html: str) -> int:
    content = html.encode()
    file.write_bytes(content)
    return len(content)
