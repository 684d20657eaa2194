"""DNSSEC bootstrapping for a registry: everything that exists without a browser."""
