"""The step hands on the keys and the address of the PostgreSQL, and says where the tables are, not how to get in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration import publish_asset
from orchestration.foreign_keys import ForeignKey
from orchestration.publishing import URL_VARIABLE, Published
from orchestration.workspace import RunWorkspace

KEYS = [ForeignKey("fct_sale", "thing_id", "dim_thing", "thing_id")]
ADDRESS = "postgresql://warehouse:hush-hush@db.example.org/audience"


@pytest.mark.parametrize(
    ("said", "url"), [(None, None), ("", None), (ADDRESS, ADDRESS)], ids=["unset", "empty", "an address"]
)
def test_the_address_comes_from_the_environment_alone(
    said: str | None, url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_on: list[Any] = []

    def publish(*arguments: Any, add: Any) -> Published:
        handed_on.extend(arguments[3:])
        return Published(tmp_path, {"dim_thing": 3}, None if url is None else ["marts_old_1"])

    monkeypatch.setattr(publish_asset, "publish", publish)
    monkeypatch.setattr(publish_asset, "record_promotion", lambda *_, **__: None)
    monkeypatch.setattr(publish_asset, "_refuse_unless_all_gates_passed", lambda _: None)
    monkeypatch.setattr(RunWorkspace, "promote", lambda _: None)
    if said is not None:
        monkeypatch.setenv(URL_VARIABLE, said)
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        result = dg.materialize(
            [publish_asset.build_publish_asset([], KEYS)],
            instance=instance,
            resources={"workspace": RunWorkspace(shop="demo", data_root=str(tmp_path / "data"))},
        )
        logged = "\n".join(str(record.user_message) for record in instance.all_logs(result.run_id))
    assert handed_on == [KEYS, url]
    assert ("and in PostgreSQL, schema marts" in logged) == (url is not None)
    assert ("marts_old_1" in logged) == (url is not None)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in kept if b"hush-hush" in path.read_bytes()]
