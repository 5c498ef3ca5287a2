"""Starts the whole platform on one machine: embedded PostgreSQL and Redis, migrations, web, worker, embedder, speech.

Nothing here imports Django, so that tests can start the embedded services before any settings are read.
"""
