"""The options of the statistics, from a request."""

from __future__ import annotations

from functions.ratio_study.schemas import RatioStatisticsRequest, RatioStudyRequest
from shared.appraisal.ratio_study import Options


def study_options(request: RatioStudyRequest | RatioStatisticsRequest) -> Options:
    """Trimming, confidence level, bootstrap and smallest sample, as a request asks for them."""
    return Options(request.trim, request.confidence, request.iterations, request.seed, request.minimum_sample)
