"""Probabilities of many customers: the same figures as the fitted pipeline gives, a batch at a time and faster.

A walk down a tree costs a wrong guess of the processor at nearly every node. Here a tree is not walked: every node
asks all rows of a block at once, from the leaves up, and says which of its two sides holds (the idea of evaluating all
nodes is QuickScorer's: Lucchese et al. 2015, SIGIR, doi:10.1145/2766462.2767733; theirs are bit vectors of leaves). A
number is first replaced by how many of its feature's thresholds lie below it, so that all of it is arithmetic on bytes,
which numpy does 64 at a time. That replacement is exact, and trees are added up in their order: not only the sixth
digit is the same.

What belongs here: how a pipeline is evaluated, and how batches become score rows. What must not: where batches come
from and where they go (`orchestration.scoring`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import expit
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from ml.frames import WrongTypeError, require_columns
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
KEYS = ("customer_id", "as_of_date", "campaign_id")
# Score and fallback tier (one, or one for each row) of the rows of a frame.
Predict = Callable[[pd.DataFrame], tuple[Floats, npt.ArrayLike | str]]

# The bytes of a block and what is worked out of them lie in the processor's second cache.
BLOCK_ROWS = 32_768
# With fewer rows reading the trees costs more than it saves.
MIN_ROWS = 4_096
# Every node of a tree is asked, so that large trees cost more than their walk.
MAX_LEAVES = 64
# A feature's range in so many equal parts, of which none may hold two thresholds; the finer parts if it must be.
PARTS = (4_096, 65_536)
# So many rows of each call are evaluated by scikit-learn as well.
CHECKED_ROWS = 32
TOLERANCE = 1e-9


class DisagreementError(RuntimeError):
    """The block-wise evaluation says other than the pipeline; nothing of it may be used."""


def positive_probability(pipeline: Any, features: pd.DataFrame) -> Floats:
    """Probability of label 1 by a fitted pipeline, shape (n_rows,).

    Boosted trees behind a filler of nulls and a one-hot encoder, and means of such pipelines with any others, are
    evaluated block-wise. All else is handed to ``pipeline.predict_proba``.

    Parameters
    ----------
    pipeline : fitted classifier of two classes
    features : DataFrame of shape (n_rows, n_features), see `ml.frames.feature_matrix`

    Raises
    ------
    DisagreementError
        If the first rows differ from what the pipeline says of them: another version of scikit-learn, for instance.
    """
    if not len(features):
        return np.zeros(0)
    evaluate = _evaluation(pipeline) if len(features) >= MIN_ROWS else None
    if evaluate is None:
        return _own(pipeline, features)
    found = evaluate(features)
    with one_thread():  # to wake other threads for so few rows costs more than the rows do
        expected = _own(pipeline, features.iloc[:CHECKED_ROWS])
    apart = float(np.abs(found[:CHECKED_ROWS] - expected).max())
    if not apart <= TOLERANCE:
        raise DisagreementError(
            f"block-wise probabilities differ from {type(pipeline).__name__}.predict_proba by {apart:g} on the first "
            f"{CHECKED_ROWS} rows. Next: compare the installed scikit-learn with requirements.lock; until then score "
            "with predict_proba."
        )
    return found


def is_evaluated_block_wise(pipeline: Any) -> bool:
    """Whether `positive_probability` knows a faster way than the pipeline's own."""
    return _evaluation(pipeline) is not None


def _own(pipeline: Any, features: pd.DataFrame) -> Floats:
    probabilities: Floats = pipeline.predict_proba(features)[:, 1]
    return probabilities


def _evaluation(pipeline: Any) -> Callable[[pd.DataFrame], Floats] | None:
    """How to evaluate `pipeline` faster than it does itself; None where no way is known."""
    if not isinstance(pipeline, Pipeline):
        return None
    steps = [step for _, step in pipeline.steps]
    model = steps[-1]
    if isinstance(model, VotingClassifier) and len(steps) == 1 and model.voting == "soft" and model.weights is None:
        members = [(member, _evaluation(member)) for member in model.estimators_]
        if not any(evaluate for _, evaluate in members):
            return None
        return lambda features: np.mean(
            [evaluate(features) if evaluate else _own(member, features) for member, evaluate in members], axis=0
        )
    if len(steps) == 2 and isinstance(model, HistGradientBoostingClassifier):
        inputs, trees = _inputs(steps[0]), _trees(model)
        if inputs is not None and trees is not None:
            return lambda features: trees.evaluate(inputs, features)
    return None


@dataclass(frozen=True)
class _Filled:
    """A number with what stands in for null (NaN: nothing does)."""

    name: str
    fill: float


@dataclass(frozen=True)
class _Kind:
    """One column of a one-hot encoder: whether a kind is this one."""

    encoder: OneHotEncoder
    names: tuple[str, ...]
    column: int


def _inputs(prepare: Any) -> list[_Filled | _Kind] | None:
    """What each column is that `prepare` makes; None if it does anything that is not known here."""
    if not isinstance(prepare, ColumnTransformer) or prepare.remainder != "drop" or prepare.transformer_weights:
        return None
    inputs: list[_Filled | _Kind] = []
    for _, step, names in prepare.transformers_:
        if not len(names) or step == "drop":
            continue
        if type(step) is SimpleImputer and not step.add_indicator and pd.isna(step.missing_values):
            fills = np.asarray(step.statistics_, dtype=np.float64)
            if np.isnan(fills).any():
                return None  # a column without any value was left out
            inputs += [_Filled(name, float(fill)) for name, fill in zip(names, fills, strict=True)]
        elif type(step) is OneHotEncoder and not step.sparse_output:
            width = len(step.get_feature_names_out())
            inputs += [_Kind(step, tuple(names), column) for column in range(width)]
        else:
            return None
    return inputs


def _columns(inputs: Sequence[_Filled | _Kind], used: Iterable[int], features: pd.DataFrame) -> dict[int, Floats]:
    """The columns that trees ask about, as they are in `features`: each a row of contiguous numbers."""
    encoded: dict[int, Floats] = {}
    found = {}
    for number in used:
        wanted = inputs[number]
        if isinstance(wanted, _Filled):
            found[number] = features[wanted.name].to_numpy(dtype=np.float64)
        else:
            if id(wanted.encoder) not in encoded:
                encoded[id(wanted.encoder)] = np.asfortranarray(wanted.encoder.transform(features[list(wanted.names)]))
            found[number] = encoded[id(wanted.encoder)][:, wanted.column]
    return found


class _Cuts:
    """The thresholds of one feature, and how many of them lie below a number.

    Dividing a range into equal parts keeps the order of numbers, rounding included: a number in another part than a
    threshold lies on the same side of it as its part does, and within the threshold's part the two are compared.
    """

    def __init__(self, thresholds: Floats) -> None:
        self.finite: Floats = np.unique(thresholds[np.isfinite(thresholds)])
        self._below: npt.NDArray[np.uint8] | None = None
        if not len(self.finite):
            return
        self._first = self.finite[0]
        for parts in PARTS:
            span = self.finite[-1] - self._first
            self._scale, self._last = (parts - 1) / span if span > 0 else 0.0, parts - 1
            held = np.bincount(self._part_of(self.finite), minlength=parts)
            if np.isfinite(self._scale) and held.max() == 1:
                self._below = (np.cumsum(held) - held).astype(np.uint8)
                self._within = np.full(parts, np.inf)
                self._within[self._part_of(self.finite)] = self.finite
                break

    def _part_of(self, values: Floats) -> npt.NDArray[np.intp]:
        with np.errstate(over="ignore", invalid="ignore"):
            places = (values - self._first) * self._scale
        np.nan_to_num(places, copy=False, nan=0.0)  # 0 times infinite: there is one threshold, and one part
        np.clip(places, 0, self._last, out=places)
        parts: npt.NDArray[np.intp] = places.astype(np.intp)
        return parts

    def count_below(self, values: Floats) -> Bytes:
        """How many finite thresholds are less than each of `values` (none of which is null), shape (n_rows,)."""
        if self._below is None:
            return np.searchsorted(self.finite, values, side="left").astype(np.uint8)
        part = self._part_of(values)
        counts = self._below.take(part)
        counts += values > self._within.take(part)
        return counts

    def place(self, threshold: float) -> int:
        """``x <= threshold`` means that `count_below` of x is at most this."""
        return int(np.searchsorted(self.finite, threshold, side="left"))

    @property
    def null(self) -> int:
        """What stands for null: more than any number has below it, so that no threshold lies above."""
        return len(self.finite) + 1


@dataclass(frozen=True)
class _Node:
    """One question of a tree, after those of its sides have been answered.

    The answer, the number of a leaf, is put into the scratch row `slot`; the left side's lies there already, the right
    side's in the row after it. A side that is a leaf has its number instead (`left_leaf`, `right_leaf`).
    """

    feature: int
    place: np.uint8
    is_null_left: bool
    slot: int
    left_leaf: np.uint8 | None
    right_leaf: np.uint8 | None


@dataclass(frozen=True)
class _Tree:
    nodes: tuple[_Node, ...]
    values: Floats
    slots: int


# What was read of a model, for as long as it lives and has these trees: batches then do not read it again.
_READ: "WeakKeyDictionary[HistGradientBoostingClassifier, tuple[Any, int, _Trees | None]]" = WeakKeyDictionary()


def _trees(model: HistGradientBoostingClassifier) -> "_Trees | None":
    predictors, count, trees = _READ.get(model, (None, 0, None))
    if predictors is not model._predictors or count != len(model._predictors):
        trees = _read_trees(model)
        _READ[model] = (model._predictors, len(model._predictors), trees)
    return trees


def _read_trees(model: HistGradientBoostingClassifier) -> "_Trees | None":
    if len(model.classes_) != 2 or model.is_categorical_ is not None:
        return None
    tables = [predictor.nodes for (predictor,) in model._predictors]
    if not tables or max(int(table["is_leaf"].sum()) for table in tables) > MAX_LEAVES:
        return None
    asked = np.concatenate([table[["feature_idx", "num_threshold"]][table["is_leaf"] == 0] for table in tables])
    if not (asked["num_threshold"] > -np.inf).all():
        return None  # only a threshold above all numbers is understood
    cuts = {
        int(number): _Cuts(asked["num_threshold"][asked["feature_idx"] == number])
        for number in np.unique(asked["feature_idx"])
    }
    if max((one.null for one in cuts.values()), default=0) > np.iinfo(np.uint8).max:
        return None
    return _Trees(tuple(_tree(table, cuts) for table in tables), cuts, float(model._baseline_prediction.item()))


def _tree(table: npt.NDArray[Any], cuts: Mapping[int, _Cuts]) -> _Tree:
    """A tree of scikit-learn in the order in which its nodes are answered; leaves are numbered from the left."""
    left, right, is_leaf = table["left"].tolist(), table["right"].tolist(), table["is_leaf"].tolist()
    feature, threshold = table["feature_idx"].tolist(), table["num_threshold"].tolist()
    null_left, value = table["missing_go_to_left"].tolist(), table["value"].tolist()
    nodes: list[_Node] = []
    values: list[float] = []
    slots = 1

    def visit(number: int, slot: int) -> np.uint8 | None:
        """Append what answers the part of the tree below node `number`; its leaf's number if it is one."""
        nonlocal slots
        if is_leaf[number]:
            values.append(value[number])
            return np.uint8(len(values) - 1)
        slots = max(slots, slot + 1)
        left_leaf = visit(left[number], slot)
        # where the left side is a leaf, its row is free
        right_leaf = visit(right[number], slot if left_leaf is not None else slot + 1)
        place = np.uint8(cuts[feature[number]].place(threshold[number]))
        nodes.append(_Node(feature[number], place, bool(null_left[number]), slot, left_leaf, right_leaf))
        return None

    visit(0, 0)
    return _Tree(tuple(nodes), np.array(values), slots)


@dataclass(frozen=True)
class _Trees:
    trees: tuple[_Tree, ...]
    cuts: Mapping[int, _Cuts]
    start: float

    def evaluate(self, inputs: Sequence[_Filled | _Kind], features: pd.DataFrame) -> Floats:
        """Probability of label 1, shape (n_rows,)."""
        columns = _columns(inputs, self.cuts, features)
        fills = {number: wanted.fill for number in self.cuts if isinstance(wanted := inputs[number], _Filled)}
        scratch = _Scratch(max(tree.slots for tree in self.trees), min(len(features), BLOCK_ROWS))
        raw = np.full(len(features), self.start)
        for first in range(0, len(features), BLOCK_ROWS):
            counts, known = {}, {}
            for number, cut in self.cuts.items():
                values = np.ascontiguousarray(columns[number][first : first + BLOCK_ROWS])
                missing = np.isnan(values)
                if missing.any():
                    fill = fills.get(number, np.nan)
                    counts[number] = cut.count_below(np.where(missing, 0.0 if np.isnan(fill) else fill, values))
                    if np.isnan(fill):
                        counts[number][missing] = cut.null
                        known[number] = ~missing
                else:
                    counts[number] = cut.count_below(values)
            total = raw[first : first + BLOCK_ROWS]
            for tree in self.trees:
                scratch.add(tree, counts, known, total)
        probabilities: Floats = expit(raw)
        return probabilities


class _Scratch:
    """Memory that all blocks share: making it anew for every node would take longer than the work."""

    def __init__(self, slots: int, rows: int) -> None:
        self._answers = np.empty((slots + 1, rows), dtype=np.uint8)
        self._is_above = np.empty(rows, dtype=bool)
        self._mixed = np.empty(rows, dtype=np.uint8)
        self._leaves = np.empty(rows, dtype=np.intp)
        self._values = np.empty(rows)

    def add(
        self, tree: _Tree, counts: Mapping[int, Bytes], known: Mapping[int, npt.NDArray[np.bool_]], total: Floats
    ) -> None:
        """Add the tree's value of each row to `total`, in place."""
        rows = len(total)
        if not tree.nodes:
            total += tree.values[0]
            return
        answers, mixed, is_above = self._answers[:, :rows], self._mixed[:rows], self._is_above[:rows]
        goes_right = is_above.view(np.uint8)
        for node in tree.nodes:
            np.greater(counts[node.feature], node.place, out=is_above)
            if node.is_null_left and node.feature in known:
                np.logical_and(is_above, known[node.feature], out=is_above)
            answer = answers[node.slot]
            left = answer if node.left_leaf is None else node.left_leaf
            if node.right_leaf is not None and node.left_leaf is not None:
                # neighbours have neighbouring numbers
                np.add(goes_right, node.left_leaf, out=answer)
                continue
            right = node.right_leaf
            if right is None:
                right = answer if node.left_leaf is not None else answers[node.slot + 1]
            # What lies to the right has the greater numbers: the greater one of the two, if it goes right.
            np.multiply(right, goes_right, out=mixed)
            np.maximum(left, mixed, out=answer)
        leaves, values = self._leaves[:rows], self._values[:rows]
        np.copyto(leaves, answers[0])
        np.take(tree.values, leaves, out=values, mode="clip")
        total += values


def matrix_of(batch: pa.RecordBatch, numeric: Sequence[str], categorical: Sequence[str], what: str) -> pd.DataFrame:
    """The features of a batch as `ml.frames.feature_matrix` would give them, without its detour by objects.

    Raises
    ------
    MissingColumnsError, WrongTypeError
        If the batch does not match what the feature catalogue says of these features.
    """
    _require(batch, [*numeric, *categorical], what)
    columns: dict[str, Any] = {}
    for name in numeric:
        values = batch.column(name)
        if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
                or pa.types.is_decimal(values.type) or pa.types.is_null(values.type)
                or pa.types.is_boolean(values.type)):  # fmt: skip
            raise WrongTypeError(
                f"{what}: {name} is of type {values.type}, and the feature catalogue says it is a number. "
                "Next: compare the query with the contract of the table."
            )
        columns[name] = pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False)
    for name in categorical:
        kinds = pc.fill_null(pc.cast(batch.column(name), pa.string()), "unknown")
        columns[name] = np.asarray(kinds.to_numpy(zero_copy_only=False), dtype=object)
    return pd.DataFrame(columns, index=pd.RangeIndex(batch.num_rows), copy=False)


def score_batches(
    batches: Iterable[pa.RecordBatch],
    predict: Predict,
    numeric: Sequence[str],
    categorical: Sequence[str] = (),
    what: str = "a batch of customers to score",
) -> Iterator[pa.RecordBatch]:
    """What differs between rows of ``ml.scores``, a batch for each that comes in, in its order; one is held at a time.

    Parameters
    ----------
    batches : record batches with customer_id, as_of_date, the features and, for a score per offer, campaign_id
    predict : function of a frame of features, as `matrix_of` gives it -> (score, fallback tier)
    numeric, categorical : names of the features, in the order of the training
    what : names the batches in messages

    Yields
    ------
    RecordBatch with the keys, score and fallback_tier

    Raises
    ------
    MissingColumnsError, WrongTypeError
        If a batch lacks a column, or has one of another type.
    ValueError
        If a score is not a number.

    Examples
    --------
    >>> predict = lambda frame: (scorer.probabilities(frame), scorer.fallback_tier)  # doctest: +SKIP
    >>> rows = score_batches(batches, predict, scorer.numeric)  # doctest: +SKIP
    """
    for batch in batches:
        _require(batch, ("customer_id", "as_of_date"), what)
        score, tier = predict(matrix_of(batch, numeric, categorical, what))
        bad = np.flatnonzero(~np.isfinite(score))
        if len(bad):
            raise ValueError(
                f"{what}: the score of customer {batch.column('customer_id')[int(bad[0])]} is {score[bad[0]]}, "
                f"and of {len(bad) - 1} more is no number either. Next: look for infinite features."
            )
        rows = {name: batch.column(name) for name in KEYS if name in batch.schema.names}
        rows["score"] = pa.array(score, pa.float64())
        rows["fallback_tier"] = (
            pa.DictionaryArray.from_arrays(np.zeros(len(score), dtype=np.int8), [tier])
            if isinstance(tier, str)
            else pa.array(tier, pa.string())
        )
        yield pa.RecordBatch.from_pydict(rows)


def _require(batch: pa.RecordBatch, columns: Sequence[str], what: str) -> None:
    require_columns(batch.schema.empty_table().to_pandas(), columns, what)
