"""Writes the landing zone: what brings a company's data to the one door that the warehouse has.

One module an adapter (`completejourney`), one for the zone itself (`landing_zone`) and one for its contract. Nothing
here cleans or joins: that is staging's job.
"""

from ingestion.contract import LandingContract, read_contract
from ingestion.landing_zone import LandingError, LandingZone, LoadSummary

__all__ = ["LandingContract", "LandingError", "LandingZone", "LoadSummary", "read_contract"]
