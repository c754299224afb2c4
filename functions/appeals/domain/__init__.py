"""Rules of appeals: values in, values out."""
