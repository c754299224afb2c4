"""Access keys of people's tools, and the gateway's authorizer that lets them in."""
