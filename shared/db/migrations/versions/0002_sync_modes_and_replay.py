"""What the sync engine's modes, differences and replay need beside the first schema."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Filled below, statement by statement."""
