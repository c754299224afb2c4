"""The stacks of a stage, each composed of constructs."""
