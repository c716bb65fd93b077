//! A sink that counts and forgets: for benches, and for jobs whose result nobody wants. It never keeps a row.

use std::sync::Arc;

use async_trait::async_trait;

use super::accept::accept;
use super::contract::{BadRow, Connector, Context, End, Parameter, Sink, SinkRequest, SinkRows, Source, SourceRequest};
use super::options::Options;
use crate::core::fault::{Blame, Fault};

/// The connector `discard`.
pub struct DiscardConnector;

#[async_trait]
impl Connector for DiscardConnector {
    fn name(&self) -> &'static str {
        "discard"
    }

    fn help(&self) -> &'static str {
        "takes rows and forgets them"
    }

    fn is_source(&self) -> bool {
        false
    }

    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    fn uri(&self, _uri: &str) -> Result<Options, Fault> {
        Ok(Options::default())
    }

    fn check(&self, request: &SinkRequest, _context: &Context) -> Result<(), Fault> {
        accept(self, End::Sink, &request.options).map(drop)
    }

    async fn source(&self, request: SourceRequest, _context: &Context) -> Result<Arc<dyn Source>, Fault> {
        Err(Fault::new(Blame::Operator, format!("`{}` cannot be read: `discard` only takes rows", request.name)))
    }

    async fn sink(&self, request: SinkRequest, _context: &Context) -> Result<Box<dyn Sink>, Fault> {
        accept(self, End::Sink, &request.options)?;
        Ok(Box::new(Discard))
    }
}

struct Discard;

#[async_trait]
impl Sink for Discard {
    async fn write(&mut self, _rows: SinkRows) -> Result<Vec<BadRow>, Fault> {
        Ok(Vec::new())
    }
}
