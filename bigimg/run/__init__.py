"""Workflows, plans, runs, reports, and where they run. The only room that sees the scheduler."""
