//! Every function by name, in one place: what the planner looks up and what `SHOW FUNCTIONS` lists.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion_expr::expr::WindowFunctionDefinition;
use datafusion_expr::planner::ExprPlanner;
use datafusion_expr::{AggregateUDF, ScalarUDF, WindowUDF};

use super::casts::CastsByName;
use super::division::{self, ArithmeticPlanner, Divisions, ZeroDivisor};
use super::interval::IntervalPlanner;
use super::json::JsonPlanner;
use super::mended::OverlayPlanner;
use super::{aggregates, headers, json, marks, mended, ntile, number, text, time};

/// Functions by lower-case name, aliases included.
#[derive(Clone)]
pub struct Functions {
    scalars: BTreeMap<String, Arc<ScalarUDF>>,
    aggregates: BTreeMap<String, Arc<AggregateUDF>>,
    windows: BTreeMap<String, Arc<WindowUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
    divisions: Divisions,
}

impl Functions {
    /// The same functions, where a division by zero is taken in that way and counted anew.
    #[must_use]
    pub fn dividing(&self, on_zero: ZeroDivisor) -> Self {
        let divisions = Divisions { on_zero, ..Divisions::default() };
        let mut functions = self.clone();
        functions.planners[0] = Arc::new(ArithmeticPlanner::new(&divisions));
        division::functions(&divisions).into_iter().for_each(|function| functions.register_scalar(function));
        Self { divisions, ..functions }
    }

    /// The functions of this build; a division by zero gives NULL and is counted.
    pub fn builtin() -> Self {
        let divisions = Divisions::default();
        let mut functions = Self {
            scalars: BTreeMap::new(),
            aggregates: BTreeMap::new(),
            windows: BTreeMap::new(),
            planners: vec![
                // The first one, which `dividing` replaces.
                Arc::new(ArithmeticPlanner::new(&divisions)),
                Arc::new(IntervalPlanner),
                Arc::new(CastsByName),
                Arc::new(JsonPlanner),
                Arc::new(OverlayPlanner),
                Arc::new(datafusion_functions::core::planner::CoreFunctionPlanner::default()),
                Arc::new(datafusion_functions_nested::planner::NestedFunctionPlanner),
                Arc::new(datafusion_functions_nested::planner::FieldAccessPlanner),
                Arc::new(datafusion_functions::datetime::planner::DatetimeFunctionPlanner),
                Arc::new(datafusion_functions::unicode::planner::UnicodeFunctionPlanner),
                Arc::new(datafusion_functions_aggregate::planner::AggregateFunctionPlanner),
                Arc::new(datafusion_functions_window::planner::WindowFunctionPlanner),
            ],
            divisions: divisions.clone(),
        };
        for function in datafusion_functions::all_default_functions() {
            functions.register_scalar(function);
        }
        for function in datafusion_functions_nested::all_default_nested_functions() {
            functions.register_scalar(function);
        }
        for function in datafusion_functions_aggregate::all_default_aggregate_functions() {
            functions.register_aggregate(function);
        }
        for function in datafusion_functions_window::all_default_window_functions() {
            functions.register_window(function);
        }
        let stock = |function: Arc<ScalarUDF>, names: &'static [&'static str]| {
            Arc::new(function.as_ref().clone().with_aliases(names.iter().copied()))
        };
        functions.register_window(ntile::function());
        // What stands here replaces DataFusion's of the same name.
        let own = [
            headers::functions(),
            json::functions(),
            time::functions(),
            text::functions(),
            number::functions(),
            division::functions(&divisions),
            marks::functions(),
            mended::functions(),
            vec![
                stock(datafusion_functions::unicode::character_length(), &["length", "char_length", "len"]),
                stock(datafusion_functions::unicode::substr(), &["substring", "substr", "mid"]),
                stock(datafusion_functions::string::lower(), &["lcase"]),
                stock(datafusion_functions::string::upper(), &["ucase"]),
                stock(datafusion_functions::string::starts_with(), &["startswith"]),
                stock(datafusion_functions::string::ends_with(), &["endswith"]),
                stock(datafusion_functions::string::uuid(), &["gen_random_uuid"]),
                stock(datafusion_functions::math::random(), &["rand"]),
                stock(datafusion_functions::math::signum(), &["sign"]),
                stock(datafusion_functions::core::arrow_typeof(), &["typeof"]),
            ],
        ];
        for function in own.into_iter().flatten() {
            functions.register_scalar(function);
        }
        for function in aggregates::functions() {
            functions.register_aggregate(function);
        }
        functions
    }

    /// How divisions by zero are taken, and the count of those that gave NULL, shared by all clones.
    pub fn divisions(&self) -> &Divisions {
        &self.divisions
    }

    /// Adds a scalar function under its name and aliases; one of the same name is replaced.
    pub fn register_scalar(&mut self, function: Arc<ScalarUDF>) {
        for alias in function.aliases() {
            self.scalars.insert(alias.to_lowercase(), Arc::clone(&function));
        }
        self.scalars.insert(function.name().to_lowercase(), function);
    }

    /// Adds an aggregate under its name and aliases; one of the same name is replaced.
    pub fn register_aggregate(&mut self, function: Arc<AggregateUDF>) {
        for alias in function.aliases() {
            self.aggregates.insert(alias.to_lowercase(), Arc::clone(&function));
        }
        self.aggregates.insert(function.name().to_lowercase(), function);
    }

    /// Adds a window function under its name and aliases; one of the same name is replaced.
    pub fn register_window(&mut self, function: Arc<WindowUDF>) {
        for alias in function.aliases() {
            self.windows.insert(alias.to_lowercase(), Arc::clone(&function));
        }
        self.windows.insert(function.name().to_lowercase(), function);
    }

    /// The scalar function of a name.
    pub fn scalar(&self, name: &str) -> Option<&Arc<ScalarUDF>> {
        self.scalars.get(&name.to_lowercase())
    }

    /// The aggregate of a name.
    pub fn aggregate(&self, name: &str) -> Option<&Arc<AggregateUDF>> {
        self.aggregates.get(&name.to_lowercase())
    }

    /// The window function of a name.
    pub fn window(&self, name: &str) -> Option<&Arc<WindowUDF>> {
        self.windows.get(&name.to_lowercase())
    }

    /// All scalar functions, by name.
    pub fn scalars(&self) -> &BTreeMap<String, Arc<ScalarUDF>> {
        &self.scalars
    }

    /// All aggregates, by name.
    pub fn aggregates(&self) -> &BTreeMap<String, Arc<AggregateUDF>> {
        &self.aggregates
    }

    /// All window functions, by name.
    pub fn windows(&self) -> &BTreeMap<String, Arc<WindowUDF>> {
        &self.windows
    }

    /// How operators and literals become functions.
    pub fn planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    /// The name of a function that a call in a plan names.
    pub fn name_of(function: &WindowFunctionDefinition) -> String {
        function.name().to_lowercase()
    }
}
