//! The Jinja environment of payloads and configuration: filters, globals, strictness. It never reads a file outside its folder.
