//! Configuration: `.env`, the process environment, YAML and Jinja become validated values. It never connects anywhere.
