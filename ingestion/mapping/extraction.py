"""Extraction by dlt: what is new in the source, as Parquet under `data/<shop>/extracted`, until it has landed.

dlt keeps which files have been read as they are, and up to where a database's table has been read. An extraction is
complete when dlt has noted it as loaded; one that was cut off leaves neither rows nor state, and the next one repeats
it. How much time this takes beside reading the files with DuckDB alone is in ADR 9.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingestion.mapping.dlt_environment import dlt_environment
from ingestion.mapping.model import MappingError, ShopMapping
from ingestion.mapping.sources import DatabaseSource, FolderSource, SourceTable

_DATASET = "rows"
_PIPELINE = "shop"
_SCHEMA = "source"


@dataclass(frozen=True)
class Extraction:
    """One complete extraction that has not landed yet: its name, when it arrived (UTC), its folder."""

    name: str
    arrived_at: datetime
    folder: Path

    def files_of(self, table: str) -> list[Path]:
        """Parquet files with the rows of a source table; none when there was nothing new in it."""
        return sorted(self.folder.glob(f"{_resource_name(table)}.{self.name}.*.parquet"))

    def drop(self) -> None:
        """Delete the rows: they have landed, and there should be one copy of what is personal in them."""
        for file in self.folder.glob(f"*.{self.name}.*.parquet"):
            file.unlink()


class Extractor:
    """Extracts from `source` into `folder`, a folder of its own.

    Parameters
    ----------
    folder
        `data/<shop>/extracted`.
    source, tables
        What is read.
    mapping
        How it is to be read.
    """

    def __init__(
        self,
        folder: Path,
        source: FolderSource | DatabaseSource,
        tables: Sequence[SourceTable],
        mapping: ShopMapping,
    ) -> None:
        self.folder = folder
        self._source = source
        self._tables = tables
        self._fingerprint = mapping.fingerprint
        self._read_with = folder / "read_with"
        self._cursors = mapping.cursors

    def reads_otherwise(self) -> bool:
        """Whether the mapping is not the one that the last extraction was read with."""
        return self._read_with.exists() and self._read_with.read_text(encoding="utf-8") != self._fingerprint

    def forget(self) -> None:
        """Begin anew: the next extraction reads everything."""
        shutil.rmtree(self.folder / "dlt", ignore_errors=True)
        shutil.rmtree(self.folder / _DATASET, ignore_errors=True)

    def waiting(self) -> list[Extraction]:
        """Complete extractions whose rows are still here, oldest first."""
        noted = (self.folder / _DATASET / "_dlt_loads").glob(f"{_SCHEMA}__*.jsonl")
        names = sorted((file.name.split("__", 1)[1].removesuffix(".jsonl") for file in noted), key=float)
        found = [Extraction(name, _instant(name), self.folder / _DATASET) for name in names]
        return [extraction for extraction in found if any(extraction.folder.glob(f"*.{extraction.name}.*.parquet"))]

    def extract(self) -> None:
        """Read what is new.

        Raises
        ------
        MappingError
            The source could not be read; nothing has changed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._read_with.write_text(self._fingerprint, encoding="utf-8")
        with dlt_environment(self.folder / "dlt"):
            import dlt
            from dlt.pipeline.exceptions import PipelineStepFailed

            pipeline = dlt.pipeline(
                _PIPELINE,
                pipelines_dir=str(self.folder / "dlt"),
                destination=dlt.destinations.filesystem(
                    bucket_url=self.folder.absolute().as_uri(),
                    layout="{table_name}.{load_id}.{file_id}.{ext}",
                    # Names of our tables have no dots in them.
                    warn_unsafe_layout_separators=False,
                ),
                dataset_name=_DATASET,
            )
            try:
                if pipeline.has_pending_data:  # extracted, and cut off before it was noted as loaded
                    pipeline.run()
                pipeline.run(self._dlt_source(), loader_file_format="parquet")
            except PipelineStepFailed as error:
                raise _explained(error, self._source) from error

    def _dlt_source(self) -> Any:
        import dlt

        resources = [
            _file_resource(self._source, table)
            if isinstance(self._source, FolderSource)
            else self._source.resource(table, self._cursors.get(table.name)).with_name(_resource_name(table.name))
            for table in self._tables
        ]
        for resource, table in zip(resources, self._tables, strict=True):
            resource.apply_hints(table_name=_resource_name(table.name), write_disposition="append")

        @dlt.source(name=_SCHEMA)
        def source() -> Any:
            return resources

        return source()


def _file_resource(source: FolderSource, table: SourceTable) -> Any:
    import dlt

    def rows() -> Iterator[pa.RecordBatch]:
        read = dlt.current.resource_state().setdefault("files", {})
        for file in table.files:
            stat = file.stat()
            stamp = [stat.st_size, stat.st_mtime_ns]
            if read.get(source.name_of(file)) != stamp:
                yield from source.batches(table, file)
                read[source.name_of(file)] = stamp

    return dlt.resource(rows, name=_resource_name(table.name))


def _resource_name(table: str) -> str:
    """A name that may stand in a file's name: what can be read of `table`, and a hash that tells two apart."""
    readable = re.sub(r"\W+", "_", table.lower()).strip("_")
    return f"{readable}_{hashlib.sha256(table.encode()).hexdigest()[:6]}"


def _instant(name: str) -> datetime:
    """When an extraction began: dlt names it after the clock."""
    return datetime.fromtimestamp(float(name), UTC).replace(tzinfo=None)


def _explained(error: BaseException, source: FolderSource | DatabaseSource) -> MappingError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MappingError):
            return cause
        deepest, cause = cause, cause.__cause__ or cause.__context__
    reason = str(getattr(deepest, "orig", None) or deepest).strip().split("\n")[0]
    return MappingError(f"{source.shown} could not be read: {reason}. Next: correct the cause and land again.")
