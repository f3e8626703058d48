"""What is tried again: a connection that broke, and nothing that stays wrong."""

import dagster as dg
import psycopg
import psycopg.errors
import pytest
import sqlalchemy.exc

from ingestion.landing_zone import LandingError
from orchestration.retries import may_pass, tried_again


def _landing_error(driver: Exception) -> LandingError:
    """As the mapping tells of a database: with SQLAlchemy's error, which holds the driver's."""
    error = LandingError("the database could not be read")
    error.__cause__ = sqlalchemy.exc.DBAPIError("select 1", None, driver)
    return error


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (_landing_error(psycopg.OperationalError("connection refused")), True),
        (_landing_error(psycopg.errors.AdminShutdown("the server shuts down")), True),
        (_landing_error(psycopg.errors.InvalidPassword("no")), False),
        (_landing_error(psycopg.errors.UndefinedTable("no such table")), False),
        (ConnectionResetError("reset"), True),
        (TimeoutError("too late"), True),
        (LandingError("orders.csv is no UTF-8"), False),
        (KeyError("a mistake of ours"), False),
    ],
)
def test_may_pass(error: Exception, passes: bool) -> None:
    assert may_pass(error) is passes


def test_a_step_is_tried_again_and_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dg.RetryPolicy, "calculate_delay", lambda self, attempt: 0.01 * attempt)
    tries = []

    @dg.asset
    def landed(context: dg.AssetExecutionContext) -> None:
        tries.append(context.retry_number)
        with tried_again(context):
            if len(tries) < 3:
                raise ConnectionResetError("reset by peer")

    assert dg.materialize([landed]).success
    assert tries == [0, 1, 2]


def test_what_stays_wrong_fails_at_once() -> None:
    tries = []

    @dg.asset
    def landed(context: dg.AssetExecutionContext) -> None:
        tries.append(context.retry_number)
        with tried_again(context):
            raise LandingError("orders.csv is no UTF-8")

    assert not dg.materialize([landed], raise_on_error=False).success
    assert tries == [0]
