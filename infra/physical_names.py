"""Names of a stage's resources in its account, for stacks and for commands, which wait for no CDK."""


def physical_name(stage: str, name: str) -> str:
    """The name of a resource of a stage."""
    return f"terrafusion-{stage}-{name}"
