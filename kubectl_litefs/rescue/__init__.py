"""`rescue`: the replicas hold the only good copy. Save every copy, then bring the primary's data back.

Reading order: store (files on this machine), choice (which copy is the best), save; situation, guards, plan, run with
directory and swap, importing and replicas, proof; undo_plan, undo_guards, undo.
"""
