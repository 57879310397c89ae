"""A client of OCI registries: what it sends and receives is verified by digest, both ways.

Sources: OCI distribution-spec 1.1; Docker's token authentication ("Token Authentication
Specification"); RFC 9110 for HTTP.
"""
