"""Use cases of authentication: sign-in by Cognito, and the claims of its access tokens."""
