"""Facts, rules, findings: frozen values, no I/O. Nothing here imports the rest of the package."""
