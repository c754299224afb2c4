"""Reports as files: figures for print, charts, and PDF by typst from the folder `templates`."""
