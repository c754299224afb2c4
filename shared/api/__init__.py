"""The edge of every module: routes, who may call them, and problems as answers."""

from shared.api.answers import accepted, answer, binary_answer, entity_tag, no_content, see_other
from shared.api.job_routes import Operation, declare_job_routes
from shared.api.problems import faults_in_body, from_query
from shared.api.request import segment
from shared.api.resolver import Api, Route

__all__ = [
    "Api",
    "Operation",
    "Route",
    "accepted",
    "answer",
    "binary_answer",
    "declare_job_routes",
    "entity_tag",
    "faults_in_body",
    "from_query",
    "no_content",
    "see_other",
    "segment",
]
