"""Documents for print: the page, numbers and names in print, and PDF by typst."""
