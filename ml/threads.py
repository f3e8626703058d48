"""One thread for numerical libraries: the last digit then does not depend on the number of cores."""

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


def one_thread() -> AbstractContextManager[None]:
    """Within this context BLAS and OpenMP use one thread.

    Measured on 2 cores: one thread takes 1.5 times as long for boosting and the same for the rest, and a machine that
    does other work at the same time slows two threads down much more than one.
    """
    limits: AbstractContextManager[None] = threadpool_limits(1)
    return limits
