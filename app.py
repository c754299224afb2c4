"""The stages that the context names (`stages` in cdk.json)."""

from infra.application import build_app, project_context

build_app(project_context()).synth()
