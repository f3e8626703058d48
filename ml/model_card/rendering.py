"""A card as Markdown and as a page of HTML that needs nothing else: no style, script or picture from elsewhere."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from ml.model_card.content import ModelCard

FOLDER = Path(__file__).parent


def as_markdown(card: ModelCard, *, with_pictures: bool = True) -> str:
    """The card as Markdown; pictures within it, or left out."""
    return _render("card.md.j2", card, with_pictures, escapes=False)


def as_html(card: ModelCard) -> str:
    """The card as one page."""
    return _render("card.html.j2", card, True, escapes=True)


def _render(template: str, card: ModelCard, with_pictures: bool, escapes: bool) -> str:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=escapes, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["embedded"] = lambda png: base64.b64encode(png).decode()
    environment.filters["in_cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    return environment.get_template(template).render(card=card, with_pictures=with_pictures)
