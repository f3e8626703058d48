"""A company's own shop: one small YAML file says what its files or database tables mean in the landing contract.

`model` reads the file, `sources` knows what files and databases hold, `extraction` brings what is new (dlt), `binding`
makes SQL of the mapping, `loading` lands it, `draft` writes a first mapping, `check` tries one on a thousand rows.
"""

from ingestion.mapping.model import MAPPING_FILE, MappingError, ShopMapping, read_mapping

__all__ = ["MAPPING_FILE", "MappingError", "ShopMapping", "read_mapping"]
