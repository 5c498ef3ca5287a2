"""A tenant's configuration as one document: read, written, compared with what is there, and applied.

`reading` and `writing` know YAML and JSON, `document` what may stand in it, `state` what a tenant has, `exporting` and
`planning` how the two meet. All of it only reads; `agents.domain.configuration` carries a plan out.
"""
