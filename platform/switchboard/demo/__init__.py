"""Two invented companies, a harbour hotel and an estate agency, for a platform with nothing of its own in it yet.

Each company's folder holds its `company.yaml`, the `source/` of its documents and the rendered `documents/`, which
are committed so that a demo needs no PDF writer. `companies.load_companies()` reads what is there, and
`write_documents.py` renders it.
"""
