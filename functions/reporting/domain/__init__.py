"""The contents of reports, the figures that types make of records, and the limits of what is printed. Pure."""
