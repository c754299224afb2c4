"""The stages that the context names (`stages` in cdk.json), held against AWS's best practices."""

from infra.application import build_app, project_context
from infra.best_practices import require_best_practices

app = build_app(project_context())
app.synth()
require_best_practices(app)
