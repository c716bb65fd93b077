//! The application: a pure model with actions and effects, and the few parts that act (runtime, supervisor, feed).
