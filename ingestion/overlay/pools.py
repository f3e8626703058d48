"""Names, streets and places: pools that Faker fills once a seed, numbered, to be drawn from by number.

Nobody in them is real. Phone numbers use the exchanges 958 and 959, which every area code keeps for the telephone
companies' own tests: they are formally valid (`phonenumbers` accepts them) and no subscriber has one.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
from faker import Faker

from ingestion.overlay.draws import Draws

# At most so many; a small shop makes do with fewer, because Faker takes its time.
FIRST_NAMES, LAST_NAMES, STREETS = 700, 1200, 900
FEWEST = 150
NAMES = ("pool_female", "pool_male", "pool_last")
# Some names carry accents; an English list alone has none.
LOCALES = {"en_US": 0.86, "es_MX": 0.06, "fr_FR": 0.04, "de_DE": 0.04}
PEOPLE_PER_POSTCODE = 25
MAX_POSTCODES = 4_000
# Region, its share of the people, and the first two digits of its postcodes.
REGIONS = (
    ("OH", 0.52, (43, 44, 45)),
    ("KY", 0.20, (40, 41, 42)),
    ("IN", 0.18, (46, 47)),
    ("WV", 0.10, (25, 26)),
)
# Area codes of the United States; each has 20,000 numbers in the two test exchanges.
AREA_CODES = (
    201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231,
    234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305, 307,
    308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330, 334, 336, 337, 339, 347, 351,
    352, 360, 361, 386, 401, 402, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417, 419, 423, 424, 425,
    432, 434, 435, 440, 443, 469, 478, 479, 480, 484, 501, 502, 503, 504, 505, 507, 508, 509, 510, 512, 513, 515,
    516, 517, 518, 520, 530, 540, 541, 551, 559, 561, 562, 563, 567, 570, 571, 573, 574, 580, 585, 586,
)  # fmt: skip
NUMBERS_PER_AREA_CODE = 20_000


def open_pools(connection: duckdb.DuckDBPyConnection, draws: Draws, people: int) -> dict[str, int]:
    """Make `pool_female`, `pool_male`, `pool_last` (number, value, plain: as it is in an e-mail address),
    `pool_streets`, `pool_area_codes` (number, value) and `pool_places`; returns how many rows each has."""
    fakers = {locale: Faker(locale) for locale in LOCALES}
    for number, faker in enumerate(fakers.values()):
        faker.seed_instance(draws.constant("names") + number)

    def size(most: int) -> int:
        return min(most, max(FEWEST, people // 3))

    pools = {
        "pool_female": [fakers[name].first_name_female() for name in _spread(size(FIRST_NAMES))],
        "pool_male": [fakers[name].first_name_male() for name in _spread(size(FIRST_NAMES))],
        "pool_last": [fakers[name].last_name() for name in _spread(size(LAST_NAMES))],
        "pool_streets": [fakers["en_US"].street_name() for _ in range(size(STREETS))],
    }
    pools["pool_area_codes"] = [str(code) for code in AREA_CODES]
    tables = {
        name: pa.table({"number": pa.array(range(len(values)), pa.int32()), "value": values})
        for name, values in pools.items()
    }
    tables["pool_places"] = _places(fakers["en_US"], draws, people)
    for name, table in tables.items():
        connection.register("pool_rows", table)
        plain = ", regexp_replace(lower(strip_accents(value)), '[^a-z]', '', 'g') as plain" if name in NAMES else ""
        connection.execute(f"create or replace temp table {name} as select *{plain} from pool_rows")
        connection.unregister("pool_rows")
    return {name: table.num_rows for name, table in tables.items()}


def _spread(count: int) -> list[str]:
    return [locale for locale, share in LOCALES.items() for _ in range(round(count * share))]


def _places(faker: Faker, draws: Draws, people: int) -> pa.Table:
    """One row per postcode: (place_no, city, region, postcode). A city has one to six postcodes of its own."""
    wanted = min(MAX_POSTCODES, max(12, people // PEOPLE_PER_POSTCODE))
    generator = draws.generator("places")
    names = list(dict.fromkeys(faker.city() for _ in range(3 * wanted // 2 + 60)))
    rows: list[tuple[str, str, str]] = []
    for region, share, prefixes in REGIONS:
        count = max(2, round(share * wanted))
        numbers = generator.choice(len(prefixes) * 1000, size=count, replace=False)
        while count > 0:
            city = names.pop()
            for _ in range(min(count, int(generator.integers(1, 7)))):
                count -= 1
                prefix, rest = divmod(int(numbers[count]), 1000)
                rows.append((city, region, f"{prefixes[prefix]}{rest:03d}"))
    cities, regions, postcodes = zip(*rows, strict=True)
    return pa.table(
        {"place_no": pa.array(range(len(rows)), pa.int32()), "city": cities, "region": regions, "postcode": postcodes}
    )
