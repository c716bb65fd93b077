//! The rules of the house: layers, lints of our own, shipped files. Reads the source; runs no client.

mod layers;
mod rules;
mod source;
