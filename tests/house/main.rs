//! The rules of the house: layers, lints of our own, shipped files and printed examples. Reads files; runs no client.

mod documents;
mod layers;
mod rules;
mod schemas;
mod source;
mod templates;
