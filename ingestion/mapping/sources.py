"""What a source has: its tables with their columns, and rows of them as Arrow. Files and databases look the same here.

Values arrive as the source holds them. Where a source does not say what a value is (CSV, SQLite), or Parquet has no
exact place for it (money, JSON, a number without a scale), it arrives as text: nothing is lost on the way, an id keeps
its leading zeros, and one value that is wrong costs one value.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.csv as pa_csv

from ingestion.mapping.dlt_environment import dlt_environment
from ingestion.mapping.model import CsvOptions, MappingError, ShopMapping, expanded
from ingestion.sql import literal, quoted
from shops import PROJECT_ROOT
from shops.names import nearest

# Where a row came from, for messages; no source may have columns of these names.
FILE_COLUMN, ROW_COLUMN = "_file", "_row"
TEXT = "VARCHAR"
BATCH_ROWS = 100_000
_CSV_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
_DELIMITERS = (",", ";", "\t", "|")
_PARQUET_SUFFIXES = (".parquet",)
# DuckDB's types that go to Arrow, Parquet and back as they are.
_KEPT_TYPES = (
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "FLOAT", "DOUBLE",
    "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", TEXT,
)  # fmt: skip


@dataclass(frozen=True)
class SourceTable:
    """A table of the source: its name in the mapping, column to SQL type, and its files where it has any."""

    name: str
    columns: Mapping[str, str]
    files: tuple[Path, ...] = ()


class Source(Protocol):
    """A folder of files, or a database."""

    kind: str
    """files, or the dialect of the database."""
    shown: str
    """Where it lies, without passwords."""

    def names(self) -> list[str]:
        """Files or tables that it has."""
        ...

    def table(self, name: str) -> SourceTable:
        """The table `name`; a file name, a pattern of file names, or a table of the database."""
        ...

    def sample(self, table: SourceTable, rows: int) -> pa.Table:
        """The first `rows` rows."""
        ...


def open_source(mapping: ShopMapping, file: Path) -> FolderSource | DatabaseSource:
    """The source that the mapping in `file` names."""
    source = mapping.source
    if source.database is not None:
        return DatabaseSource(expanded(source.database, file), source.database)
    root = Path(expanded(source.folder or "", file)).expanduser()
    return FolderSource(root if root.is_absolute() else PROJECT_ROOT / root, source.csv, source.folder or "")


class FolderSource:
    """CSV and Parquet files in one folder, also in folders below it.

    Parameters
    ----------
    root
        The folder.
    options
        How its CSV files are written, where the first line does not tell.
    said
        How the mapping names the folder.
    """

    kind = "files"

    def __init__(self, root: Path, options: CsvOptions | None = None, said: str | None = None) -> None:
        self.root = root
        self.shown = said or str(root)
        self._csv = options or CsvOptions()
        if not root.is_dir():
            raise MappingError(f"the folder {root} (source.folder: {self.shown}) does not exist. Next: correct it.")

    def names(self) -> list[str]:
        return [path.relative_to(self.root).as_posix() for path in sorted(self.root.rglob("*")) if _is_data(path)]

    def files(self, name: str) -> tuple[Path, ...]:
        """The files that are called so, or that the pattern `name` fits."""
        named = self.root / name
        return (named,) if _is_data(named) else tuple(sorted(path for path in self.root.glob(name) if _is_data(path)))

    def table(self, name: str) -> SourceTable:
        files = self.files(name)
        if not files:
            known = self.names()
            hint = f"did you mean '{nearest(name, known)}'? It has {_listed(known)}" if known else "it has none"
            raise MappingError(f"from: {name}: no CSV or Parquet file of that name in {self.shown}; {hint}.")
        columns: dict[str, str] = {}
        spelled: dict[str, str] = {}
        for file in files:
            for written, kind in self._described(file).items():
                # SQL does not tell Price from price: the first file's spelling stands for all.
                column = spelled.setdefault(written.lower(), written)
                # Files that disagree about a type meet as text.
                columns[column] = kind if columns.get(column, kind) == kind else TEXT
        return _checked(SourceTable(name, columns, files))

    def batches(self, table: SourceTable, file: Path, rows: int | None = None) -> Iterator[pa.RecordBatch]:
        """Rows of one file in the columns of the whole table, in the order of the file, each with where it stands."""
        if not _is_csv(file):
            limit = "" if rows is None else f" limit {rows}"
            with duckdb.connect() as connection:
                try:
                    yield from connection.sql(self.select(table, file) + limit).to_arrow_reader(BATCH_ROWS)
                except duckdb.Error as error:
                    raise _unreadable(file, error) from error
            return
        schema, read = arrow_schema(table), 0
        for batch in self._csv_batches(file):
            kept = batch if rows is None else batch.slice(0, rows - read)
            given = {
                **{column.lower(): values for column, values in zip(kept.schema.names, kept.columns, strict=True)},
                FILE_COLUMN: pa.repeat(self.name_of(file), kept.num_rows),
                ROW_COLUMN: pa.array(range(read + 1, read + 1 + kept.num_rows), pa.int64()),
            }
            read += kept.num_rows
            yield pa.record_batch(
                [given.get(each.name.lower(), pa.nulls(kept.num_rows, each.type)) for each in schema], schema=schema
            )
            if rows is not None and read >= rows:
                return

    def select(self, table: SourceTable, file: Path) -> str:
        """SQL: rows of one Parquet file, as `batches` gives them."""
        found = {column.lower() for column in self._described(file)}
        columns = ", ".join(
            f"cast({quoted(name) if name.lower() in found else 'null'} as {kind}) as {quoted(name)}"
            for name, kind in table.columns.items()
        )
        return (
            f"select {columns}, {literal(self.name_of(file))} as {FILE_COLUMN}, row_number() over () as {ROW_COLUMN} "
            f"from {_read_parquet(file)}"
        )

    def sample(self, table: SourceTable, rows: int) -> pa.Table:
        parts: list[pa.Table] = []
        missing = rows
        for file in table.files:
            parts.append(pa.Table.from_batches(list(self.batches(table, file, missing))))
            missing -= parts[-1].num_rows
            if missing <= 0:
                break
        return pa.concat_tables(parts)

    def name_of(self, file: Path) -> str:
        """The file's name as the mapping sees it."""
        return file.relative_to(self.root).as_posix()

    def _described(self, file: Path) -> dict[str, str]:
        if _is_csv(file):
            names, _ = self._header(file)
            return dict.fromkeys(names, TEXT)
        try:
            rows = duckdb.sql(f"describe select * from {_read_parquet(file)}").fetchall()
        except duckdb.Error as error:
            raise _unreadable(file, error) from error
        return {name: _kept(kind) for name, kind, *_ in rows}

    def _csv_batches(self, file: Path) -> Iterator[pa.RecordBatch]:
        """Batches of text. Arrow's reader takes lines that end in both ways, and names the line that is broken.

        DuckDB's refuses a file that was continued on another system, or, less strict, drops what is too much in a row;
        its guess at the dialect reads a small file with one odd row another way.
        """
        names, delimiter = self._header(file)
        parse = pa_csv.ParseOptions(
            delimiter=delimiter, quote_char=self._csv.quote or '"', double_quote=True, newlines_in_values=True
        )
        convert = pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )

        def opened(use_threads: bool) -> Iterator[pa.RecordBatch]:
            encoding = self._csv.encoding or "utf8"
            read = pa_csv.ReadOptions(skip_rows=1, column_names=names, encoding=encoding, use_threads=use_threads)
            yield from pa_csv.open_csv(file, read_options=read, parse_options=parse, convert_options=convert)

        try:
            yield from opened(use_threads=True)
        except (pa.ArrowInvalid, UnicodeError) as error:
            reason: Exception = error
            try:  # Only one thread can tell the number of the row.
                for _ in opened(use_threads=False):
                    pass
            except (pa.ArrowInvalid, UnicodeError) as numbered:
                reason = numbered
            raise _unreadable(file, reason) from error

    def _header(self, file: Path) -> tuple[list[str], str]:
        """The names in the first line of a CSV file, and what stands between them."""
        opened = gzip.open if file.name.lower().endswith(".gz") else open
        encoding = self._csv.encoding or "utf-8-sig"
        try:
            with opened(file, "rt", encoding=encoding, newline="") as lines:
                first = lines.readline()
                delimiter = self._csv.delimiter or max(_DELIMITERS, key=first.count)
                lines.seek(0)
                names = next(csv.reader(lines, delimiter=delimiter, quotechar=self._csv.quote or '"'), [])
        except (UnicodeError, LookupError, csv.Error, OSError) as error:
            raise MappingError(
                f"{file} cannot be read: {error}. Next: say how it is written under source.csv in mapping.yml, "
                "e.g. `csv: {encoding: latin-1}`."
            ) from error
        names = [name.strip() or f"column_{number}" for number, name in enumerate(names, 1)]
        if not names:
            raise MappingError(f"{file} is empty. Next: its first line has to hold the names of its columns.")
        twice = sorted({name for name in names if [other.lower() for other in names].count(name.lower()) > 1})
        if twice:
            raise MappingError(
                f"{file}: the column '{twice[0]}' stands there more than once. Next: rename one of them."
            )
        return names, delimiter


class DatabaseSource:
    """Tables and views of a database.

    Parameters
    ----------
    url
        SQLAlchemy's address of it.
    said
        How the mapping names it; the address itself is never shown.
    """

    def __init__(self, url: str, said: str) -> None:
        import sqlalchemy

        self.shown = said
        # The driver in the lock is psycopg; SQLAlchemy would look for another one.
        url = url.replace("postgres://", "postgresql://", 1)
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        try:
            self.engine = sqlalchemy.create_engine(url)
            self._inspector = sqlalchemy.inspect(self.engine)
        except ModuleNotFoundError as error:
            raise MappingError(
                f"the database {said} needs the Python package '{error.name}'. Next: install it into .venv."
            ) from error
        except sqlalchemy.exc.NoSuchModuleError as error:
            raise MappingError(f"the database {said}: {error}. Next: correct the address.") from error
        except (sqlalchemy.exc.SQLAlchemyError, ValueError) as error:
            reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
            raise MappingError(
                f"the database {said} cannot be opened: {reason}. Next: correct the address, or start the database."
            ) from error
        self.kind = str(self.engine.dialect.name)
        if self.kind == "sqlite" and self.engine.url.database and not Path(self.engine.url.database).is_file():
            raise MappingError(f"the database {said}: there is no file {self.engine.url.database}. Next: correct it.")

    def names(self) -> list[str]:
        default = self._inspector.default_schema_name
        system = {"information_schema", "pg_catalog", "mysql", "performance_schema", "sys"}
        found = []
        for schema in self._inspector.get_schema_names():
            if schema in system:
                continue
            prefix = "" if schema == default else f"{schema}."
            tables = [*self._inspector.get_table_names(schema), *self._inspector.get_view_names(schema)]
            found += [f"{prefix}{name}" for name in tables]
        # SQLAlchemy's names carry whether they are quoted; ours are plain texts.
        return sorted(map(str, found))

    def table(self, name: str) -> SourceTable:
        reflected = self._reflected(name)
        return _checked(SourceTable(name, {str(column.name): self._type_of(column) for column in reflected.columns}))

    def sample(self, table: SourceTable, rows: int) -> pa.Table:
        with dlt_environment():
            chunks = list(self.resource(table, rows=rows).add_limit(1))
        return chunks[0] if chunks else arrow_schema(table).empty_table()

    def resource(self, table: SourceTable, cursor: str | None = None, rows: int = BATCH_ROWS) -> Any:
        """dlt's resource of a table, in chunks of `rows`; with a cursor only what is above its highest value seen."""
        import dlt
        import sqlalchemy
        from dlt.sources.sql_database import sql_table

        schema, _, bare = table.name.rpartition(".")
        as_text = {
            column.name
            for column in self._reflected(table.name).columns
            if column.name != cursor
            and (self.kind == "sqlite" or (self._type_of(column) == TEXT and not _is_plain_text(column.type)))
        }

        def adapt_table(reflected: Any) -> None:
            for column in reflected.columns:
                if column.name in as_text:
                    column.type = sqlalchemy.Text()

        def adapt_query(query: Any, reflected: Any, *_: Any) -> Any:
            return query.with_only_columns(
                *(
                    sqlalchemy.cast(column, sqlalchemy.Text).label(column.name) if column.name in as_text else column
                    for column in reflected.columns
                )
            )

        before = 0

        def with_origin(chunk: pa.Table) -> pa.Table:
            nonlocal before
            numbers = pa.array(range(before + 1, before + 1 + chunk.num_rows), pa.int64())
            before += chunk.num_rows
            names = pa.array([table.name] * chunk.num_rows, pa.string())
            return chunk.append_column(FILE_COLUMN, names).append_column(ROW_COLUMN, numbers)

        incremental: Any = None
        if cursor is not None:
            # Rows with the highest value come again: whoever was late with the same value is not lost, and what has
            # landed does not land twice.
            incremental = dlt.sources.incremental(cursor, primary_key=(), on_cursor_value_missing="include")
        rows_of = sql_table(
            credentials=self.engine,
            table=bare,
            schema=schema or None,
            backend="pyarrow",
            chunk_size=rows,
            reflection_level="full_with_precision",
            table_adapter_callback=adapt_table,
            query_adapter_callback=adapt_query,
            incremental=incremental,
        )
        return rows_of.add_map(with_origin)

    def _reflected(self, name: str) -> Any:
        import sqlalchemy

        schema, _, bare = name.rpartition(".")
        try:
            return sqlalchemy.Table(bare, sqlalchemy.MetaData(), schema=schema or None, autoload_with=self.engine)
        except sqlalchemy.exc.NoSuchTableError as error:
            known = self.names()
            raise MappingError(
                f"from: {name}: the database {self.shown} has no such table; did you mean '{nearest(name, known)}'? "
                f"It has {_listed(known)}."
            ) from error

    def _type_of(self, column: Any) -> str:
        """DuckDB's type for a column."""
        import sqlalchemy as sa

        kind = column.type
        if self.kind == "sqlite":
            return TEXT
        if isinstance(kind, sa.Boolean):
            return "BOOLEAN"
        if isinstance(kind, sa.Integer):
            return "BIGINT"
        if isinstance(kind, sa.Float | sa.Double):
            return "DOUBLE"
        if isinstance(kind, sa.Numeric) and kind.precision is not None and kind.precision <= 38:
            return f"DECIMAL({kind.precision},{kind.scale or 0})"
        if isinstance(kind, sa.DateTime):
            return "TIMESTAMP WITH TIME ZONE" if kind.timezone else "TIMESTAMP"
        if isinstance(kind, sa.Date):
            return "DATE"
        return TEXT


def _checked(table: SourceTable) -> SourceTable:
    """`table`, if SQL can tell its columns from each other and from where a row came from."""
    seen = {FILE_COLUMN: FILE_COLUMN, ROW_COLUMN: ROW_COLUMN}
    for column in table.columns:
        other = seen.setdefault(column.lower(), column)
        if other in {FILE_COLUMN, ROW_COLUMN}:
            raise MappingError(f"from: {table.name}: the column {column} has a reserved name. Next: rename it.")
        if other != column:
            raise MappingError(
                f"from: {table.name}: the columns '{other}' and '{column}' differ in case only, and SQL does not tell "
                "them apart. Next: rename one of them, or read a view that does."
            )
    return table


def arrow_schema(table: SourceTable) -> pa.Schema:
    """The schema in which rows of `table` arrive."""
    columns = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in table.columns.items())
    origin = f"cast(null as {TEXT}) as {FILE_COLUMN}, cast(null as bigint) as {ROW_COLUMN}"
    return duckdb.sql(f"select {columns}, {origin}").to_arrow_table().schema


def _is_plain_text(kind: Any) -> bool:
    import sqlalchemy

    return isinstance(kind, sqlalchemy.String) and not isinstance(kind, sqlalchemy.Enum)


def _kept(kind: str) -> str:
    if kind in _KEPT_TYPES or kind.startswith("DECIMAL("):
        return kind
    if kind.startswith("TIMESTAMP"):  # of seconds, milliseconds or nanoseconds
        return "TIMESTAMP"
    return "DECIMAL(38,0)" if kind in {"HUGEINT", "UBIGINT"} else TEXT


def _is_csv(file: Path) -> bool:
    return file.name.lower().endswith(_CSV_SUFFIXES)


def _read_parquet(file: Path) -> str:
    return f"read_parquet({literal(file)}, hive_partitioning = false)"


def _is_data(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith((*_CSV_SUFFIXES, *_PARQUET_SUFFIXES))


def _listed(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _unreadable(file: Path, error: Exception) -> MappingError:
    reason = " ".join(line.strip() for line in str(error).strip().splitlines()[:3] if line.strip())
    return MappingError(
        f"{file} cannot be read: {reason}. Next: correct that line of the file, or say how it is written under "
        "source.csv (delimiter, quote, encoding) in mapping.yml."
    )
