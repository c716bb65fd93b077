//! The application: a pure model with actions and effects, and the few parts that act (runtime, supervisor, feed).

pub mod action;
pub mod effect;
pub mod fact;
mod request;

pub mod model;

pub mod apply;
mod assist;
pub mod deploy;
mod desk;
pub mod elsewhere;
mod guarded;
mod jobs;
mod query;
mod sample;
mod tailing;
pub mod update;

pub mod feed;
pub mod supervisor;

pub mod journal;
pub mod logging;
pub mod provoke;
pub mod runtime;
