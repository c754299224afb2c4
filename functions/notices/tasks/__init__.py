"""Lambda entries of batches of notices: the steps of the jobs machine."""
