"""The stages that exist."""

from infra.application import build_app, project_context
from infra.settings import DEVELOPMENT, PRODUCTION

build_app(project_context(), stages=(DEVELOPMENT, PRODUCTION)).synth()
