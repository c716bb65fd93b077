//! Text to statements. What standard SQL does not know is lifted off the token stream; what remains is a plain query
//! that any planner understands. It resolves no name and opens nothing.

pub mod statement;
