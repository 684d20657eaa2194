"""A laboratory: signed DNS hierarchies on loopback, honest or broken on request.

Meets P-7.96.

It plays the Internet for the demo, for tests and for conformance runs: root,
TLDs, parent zones that take DNS UPDATE, operators with signaling zones, and
children in every situation of the catalogue. Needs no root and no daemon.
"""
