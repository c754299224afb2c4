"""Learners to compare with, on the same rows: each is given every characteristic and the day, and predicts prices."""

from collections.abc import Callable
from importlib import import_module

import numpy as np

from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.columns import Characteristics, Sales

Learner = Callable[[Sales, Characteristics, IntArray], FloatArray]
_MAX_CATEGORIES = 255


def hist_gradient_boosting(train: Sales, subjects: Characteristics, day: IntArray) -> FloatArray:
    """scikit-learn's HistGradientBoostingRegressor as it comes, on log price."""
    ensemble = import_module("sklearn.ensemble")
    encoded, seen, categorical = _encoded(train, subjects, day)
    model = ensemble.HistGradientBoostingRegressor(categorical_features=categorical, random_state=0)
    model.fit(encoded, np.log(train.sale_price))
    return np.asarray(np.exp(model.predict(seen)), dtype=np.float64)


def lightgbm(train: Sales, subjects: Characteristics, day: IntArray) -> FloatArray:
    """LightGBM with the parameters that Cook County publishes for its 2025 residential model, on dollars as there."""
    engine = import_module("lightgbm")
    encoded, seen, categorical = _encoded(train, subjects, day)
    parameters = {
        "objective": "rmse",
        "learning_rate": 0.015,
        "max_bin": 512,
        "num_leaves": 185,
        "max_depth": int(np.log2(185)) + 4,
        "feature_fraction": 0.61,
        "min_gain_to_split": 75.5,
        "min_data_in_leaf": 31,
        "max_cat_threshold": 165,
        "min_data_per_group": 300,
        "cat_smooth": 82.0,
        "cat_l2": 1.0,
        "lambda_l1": 0.022,
        "lambda_l2": 0.152,
        "num_threads": 2,
        "seed": 0,
        "verbose": -1,
    }
    data = engine.Dataset(encoded, train.sale_price, categorical_feature=categorical)
    # It can go below zero, where there is no ratio: such a value is counted as one dollar.
    return np.maximum(np.asarray(engine.train(parameters, data, 1575).predict(seen), dtype=np.float64), 1.0)


PEERS: dict[str, tuple[str, Learner]] = {
    "hist_gradient_boosting": ("sklearn", hist_gradient_boosting),
    "lightgbm": ("lightgbm", lightgbm),
}
"""By name: the package that must be there (group `bench`), and the learner."""


def _encoded(train: Sales, subjects: Characteristics, day: IntArray) -> tuple[FloatArray, FloatArray, list[int]]:
    """The columns of both, the day last, and which hold codes: numbers of the commonest levels, NaN for others."""
    ours, theirs, categorical = [], [], []
    pairs = zip(train.characteristics.columns(), subjects.columns(), strict=True)
    for mine, other in [*((a, b) for (_, a), (_, b) in pairs), (train.sale_day, day)]:
        if mine.dtype.kind == "U":
            levels, counts = np.unique(mine, return_counts=True)
            number = {level: n for n, level in enumerate(levels[np.argsort(-counts)][:_MAX_CATEGORIES])}
            coded = [np.array([number.get(code, np.nan) for code in column]) for column in (mine, other)]
            categorical.append(len(ours))
        else:
            coded = [np.asarray(column, dtype=np.float64) for column in (mine, other)]
            if not np.isfinite(coded[0]).any():
                continue
        ours.append(coded[0])
        theirs.append(coded[1])
    return np.column_stack(ours), np.column_stack(theirs), categorical
