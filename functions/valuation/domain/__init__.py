"""Hold-out accuracy of a trained model. Pure."""
