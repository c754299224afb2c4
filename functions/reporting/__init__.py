"""Reports for the assessor's desk: sales ratio studies and roll summaries, as PDF, CSV or JSON."""
