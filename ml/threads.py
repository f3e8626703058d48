"""One thread for numerical libraries, several processes where work falls into parts: the last digit then does not
depend on the number of cores."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Result = TypeVar("Result")


def one_thread() -> AbstractContextManager[None]:
    """Within this context BLAS and OpenMP use one thread.

    Measured on 2 cores: one thread takes 1.5 times as long for boosting and the same for the rest, and a machine that
    does other work at the same time slows two threads down much more than one.
    """
    limits: AbstractContextManager[None] = threadpool_limits(1)
    return limits


def in_processes(function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], worth_it: bool) -> list[Result]:
    """What `function` returns for each of `calls`, in their order, with one thread each.

    Parameters
    ----------
    function : of a module, so that another process finds it
    calls : its arguments; the longest call first, so that no core ends alone
    worth_it : whether the calls take long: the first processes take seconds to import, after which they wait for more
    """
    if not worth_it:
        return [_with_one_thread(function, call) for call in calls]
    from joblib import Parallel, cpu_count, delayed  # type: ignore[import-untyped]

    # Arrays are sent as they are: shared ones would be read-only, and scikit-learn writes to some.
    parallel = Parallel(n_jobs=min(cpu_count(), len(calls)), batch_size=1, pre_dispatch="all", max_nbytes=None)
    found: list[Result] = parallel(delayed(_with_one_thread)(function, call) for call in calls)
    return found


def _with_one_thread(function: Callable[..., Result], call: tuple[Any, ...]) -> Result:
    with one_thread():
        return function(*call)
