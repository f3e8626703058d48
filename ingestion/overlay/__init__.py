"""The synthetic overlay of the demo shop: what The Complete Journey's households lack, drawn around what they have.

Contacts, web events, e-mail events, consent, tickets and surveys are generated; orders, products and campaigns are the
real ones. What is planted, and at which rates, stands in docs/synthetic-overlay.md.
"""

from ingestion.overlay.bots import BOT_FAMILIES, BotFamily, BotRequests, BotSurroundings
from ingestion.overlay.copies import copied_tables
from ingestion.overlay.dirt import DIRT_RECIPES, DirtRecipe
from ingestion.overlay.plan import OverlayPlan
from ingestion.overlay.scripts import Step
from ingestion.overlay.writing import (
    SOURCE,
    Overlay,
    generate,
    land_generated,
    land_overlay,
    landed_overlay,
    new_connection,
)

__all__ = [
    "BOT_FAMILIES",
    "DIRT_RECIPES",
    "SOURCE",
    "BotFamily",
    "BotRequests",
    "BotSurroundings",
    "DirtRecipe",
    "Overlay",
    "OverlayPlan",
    "Step",
    "copied_tables",
    "generate",
    "land_generated",
    "land_overlay",
    "landed_overlay",
    "new_connection",
]
