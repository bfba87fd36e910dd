"""The record of everything sent and received, refusals included.

`statement` and `bodies` say what is signed, `chain` what may follow what, `store` keeps it, and
`fsck` audits what was kept without knowing how it was written.
"""
