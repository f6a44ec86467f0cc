"""Tables as files: what a page or a list shows, whole, as CSV, XLSX or JSON."""
