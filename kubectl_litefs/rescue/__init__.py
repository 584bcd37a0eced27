"""`rescue`: the replicas hold the only good copy. Save every copy, then bring the primary's data back.

Reading order: store (files on this machine), choice (which copy is the best), save.
"""
