"""Live events: numbered within their conversation, kept in Redis while a turn runs and with the turn once it is
over.
"""
