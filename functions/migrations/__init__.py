"""The schema's migration, run by CloudFormation at each deployment that changes it."""
