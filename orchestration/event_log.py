"""Dagster's event log on SQLite, with connections that stay open.

A run writes some six hundred events, and each touches several databases. Dagster's own storage makes an engine,
connects and waits for the disk every time: 11 ms an event against 2.6 here (`python -m benchmarks event_log`). The
history of the UI is no ledger: should the machine lose power, its last events may be missing, nothing is corrupt, and
nothing else is concerned.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import SingletonThreadPool

if TYPE_CHECKING:
    from dagster._serdes import ConfigurableClassData

_BUSY_TIMEOUT_SECONDS = 60


class PatientSqliteEventLogStorage(SqliteEventLogStorage):
    """`SqliteEventLogStorage` that keeps one engine a database; `dagster.yaml` names it."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PatientSqliteEventLogStorage:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engines.get(shard) or self._open(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _open(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=SingletonThreadPool,
            connect_args={"timeout": _BUSY_TIMEOUT_SECONDS},
        )
        event.listen(engine, "connect", _do_not_wait_for_the_disk)
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        self._engines[shard] = engine
        return engine

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def _do_not_wait_for_the_disk(connection: sqlite3.Connection, _: object) -> None:
    # With the write-ahead log that Dagster turns on, `normal` cannot corrupt a database.
    connection.execute("pragma synchronous = normal")
