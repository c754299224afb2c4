"""Statistics and models of mass appraisal: arrays in, results out. No I/O.

study(estimate, sale_price, uniformity)   a ratio study: statistics, intervals, verdicts
fit_time_trend(day, log_price, on)        factors from sale dates to a valuation date
fit_comparables(sales, on)                a model: predict(subjects); explain(model, subject) tells one value
fit_market(sales)                         a constant-quality market: its monthly index(), its trend(on)
repeat_sales_index(pairs)                 a price index of properties sold twice
"""

from shared.appraisal.columns import Characteristics, Sales
from shared.appraisal.comparables import ComparableSales, cross_values, fit_comparables
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.explanation import AdjustedComparable, Adjustment, Explanation, Flag, explain
from shared.appraisal.intervals import Interval
from shared.appraisal.market_index import HedonicMarket, MonthlyIndex, fit_market
from shared.appraisal.models import Model, Predictions
from shared.appraisal.ratio_study import Measured, Options, RatioStudy, study
from shared.appraisal.repeat_sales import Pairs, RepeatSalesIndex, pair_sales, repeat_sales_index
from shared.appraisal.sales_chasing import Comparison, compare_changes, compare_periods
from shared.appraisal.time_trend import TimeTrend, fit_time_trend
from shared.appraisal.verdicts import Uniformity, Verdict, uniformity_of
from shared.appraisal.vertical_equity import VerticalEquity

__all__ = [
    "AdjustedComparable",
    "Adjustment",
    "AppraisalInputError",
    "Characteristics",
    "ComparableSales",
    "Comparison",
    "Explanation",
    "Flag",
    "HedonicMarket",
    "InsufficientSalesError",
    "Interval",
    "Measured",
    "Model",
    "MonthlyIndex",
    "Options",
    "Pairs",
    "Predictions",
    "RatioStudy",
    "RepeatSalesIndex",
    "Sales",
    "TimeTrend",
    "Uniformity",
    "Verdict",
    "VerticalEquity",
    "compare_changes",
    "compare_periods",
    "cross_values",
    "explain",
    "fit_comparables",
    "fit_market",
    "fit_time_trend",
    "pair_sales",
    "repeat_sales_index",
    "study",
    "uniformity_of",
]
