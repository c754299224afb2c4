"""Counties: onboarded, configured, scheduled."""
