//! ETLs: registry, plan, run, report. A plan is computed before anything is sent.
