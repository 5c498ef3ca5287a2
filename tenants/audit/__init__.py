"""The audit trail: who changed what, when, from where, in a chain that shows what was done to it afterwards."""
