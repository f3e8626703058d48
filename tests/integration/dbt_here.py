"""dbt commands of tests: in this process and with the parse cache of the first shop. From a shell each would take some
twenty seconds more; that they run there is what `test_dbt_build` and the guides are for."""

from __future__ import annotations

import json
from typing import Any

from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from shops import ShopFolders


def dbt(folders: ShopFolders, *arguments: str, **variables: Any) -> None:
    """Run a command on a shop's warehouse; `variables` are those of `--vars`. Every node has to succeed."""
    project = InProcessDbt(folders)
    given = ["--vars", json.dumps(variables)] if variables else []
    with write_lock(folders.lock, "test"), project._environment(folders.warehouse):
        done = project._invoke([*arguments, *given])
    assert done.success, done.exception or [one.message for one in done.result.results if one.message]
    # Exposures are nothing to do.
    assert {str(one.status) for one in done.result.results} <= {"success", "pass", "no-op"}
