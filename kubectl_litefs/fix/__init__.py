"""`fix-cluster-id`: reset one replica that belongs to another LiteFS cluster.

Reading order: options, survey (looks), case (what was seen), refusals (what speaks against it), plan, run (the steps).
"""
