"""What may fail in passing, because another machine takes part, is tried again after growing pauses.

Belongs here: telling a connection that broke from a fault that stays. A gate, a model or a wrong file fails the same
way every time, and is not tried again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

# 10, 20 and 40 seconds, give or take: a database that restarts is back by then.
_POLICY = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
# Classes of SQLSTATE that pass: connection, resources, an operator who restarts the server.
_PASSING_STATES = ("08", "53", "57")


@contextmanager
def tried_again(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Ask Dagster for another try of the step when what happens within fails in passing."""
    try:
        yield
    except Exception as error:
        if not may_pass(error):
            raise
        pause = _POLICY.calculate_delay(context.retry_number + 1)
        context.log.warning(f"it may pass, and is tried again in {pause:.0f} s: {error}")
        raise dg.RetryRequested(max_retries=_POLICY.max_retries, seconds_to_wait=pause) from error


def may_pass(error: BaseException | None) -> bool:
    """Whether `error` comes from a connection that broke, or a server that is not there just now."""
    while error is not None:
        # SQLAlchemy keeps the driver's error in `orig`; psycopg's has a state, or None where no server answered.
        driver = getattr(error, "orig", None) or error
        if isinstance(driver, ConnectionError | TimeoutError):
            return True
        if any(kind.__name__ == "OperationalError" for kind in type(driver).__mro__):
            state = getattr(driver, "sqlstate", "none known")
            if state is None or str(state).startswith(_PASSING_STATES):
                return True
        error = error.__cause__ or error.__context__
    return False
