"""The user's own rules: YAML over the same facts, judged by the same engine as the built-in ones."""
