"""Reports as files: PDF, HTML, XLSX, CSV and JSON of the same contents, and the charts in them."""
