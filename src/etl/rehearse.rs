//! The first event of every pair of a plan, rendered before anything is opened: a template that is missing, or that names
//! what nobody gives, refuses the run instead of failing its events. It opens nothing and sends nothing.

use std::collections::HashMap;
use std::sync::Arc;

use crate::clock::now_ms;
use crate::core::fault::Fault;
use crate::template::{Engine, TemplateFault, TemplateFaultKind};

use super::context::{Moving, Stamp};
use super::plan::Plan;
use super::run::render::{Batch, Material, Templates};

/// What keeps whole ETLs of a plan from rendering, each cause once, in plan order; nothing if all can run.
pub fn rehearse(plan: &Plan, engine: &Engine) -> Vec<Fault> {
    let mut compiled: HashMap<&str, Option<Templates>> = HashMap::new();
    let mut faults: Vec<TemplateFault> = Vec::new();
    for pair in plan.pairs.iter().filter(|pair| pair.events > 0) {
        let templates = compiled.entry(&pair.etl.name).or_insert_with(|| {
            let outcome = Templates::compile_all(engine, &pair.etl, &pair.file);
            outcome.map_err(|found| faults.extend(found)).ok()
        });
        let Some(templates) = templates else { continue };
        let material = Material::of(pair, templates.clone());
        let now = now_ms();
        let mut moving = Moving::new(Arc::clone(&material.shared), Stamp::new(now));
        match Batch::default().add(&material, &mut moving, 0, now) {
            Err(fault) if concerns_every_event(&fault) && !faults.contains(&fault) => faults.push(fault),
            _ => {}
        }
    }
    faults.into_iter().map(Fault::from).collect()
}

/// What a value of the first event did wrong, the next one may do right; a name that nobody gives is missing in all.
fn concerns_every_event(fault: &TemplateFault) -> bool {
    use TemplateFaultKind::{NotFound, Syntax, Undefined, Unknown};
    matches!(fault.kind, Undefined { .. } | Unknown | NotFound | Syntax)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::core::environment::Guard;
    use crate::core::etl::Etl;
    use crate::etl::examples::etl;
    use crate::etl::plan::{Request, Target};
    use crate::etl::registry::Registry;

    fn said(etl: Etl) -> Vec<String> {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("payloads")).unwrap();
        std::fs::write(folder.path().join("payloads/good.json.j2"), "{}").unwrap();
        std::fs::write(folder.path().join("payloads/odd.json.j2"), "{{ 'no' | from_json }}").unwrap();
        std::fs::write(folder.path().join("payloads/misspelt.json.j2"), "{{ 'no' | uper }}").unwrap();
        let mut registry = Registry::new();
        registry.add("config/etl/x.yaml", Ok(etl));
        let target = |name: &str| Target {
            name: name.into(),
            guard: Guard::None,
            rate_limit_events_per_second: None,
            fault: None,
        };
        let mut request = Request::default();
        request.runner.filters.environments = vec!["qa".into(), "dev".into()];
        let plan = Plan::make(&registry, &[target("qa"), target("dev")], &request).unwrap();
        rehearse(&plan, &Engine::builder(folder.path()).build()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_missing_template_and_a_name_that_nobody_gives_are_said_once_before_the_run() {
        let missing = said(etl("absent", &["qa", "dev"]));
        assert!(matches!(missing.as_slice(), [one] if one.contains("absent.json.j2")), "{missing:#?}");
        let misspelt = said(etl("misspelt", &["qa", "dev"]));
        assert!(
            matches!(misspelt.as_slice(), [one] if one.contains("no filter `uper`; did you mean `upper`")),
            "{misspelt:#?}"
        );
        let undefined = Etl { key_template: Some("{{ nobody }}".into()), ..etl("good", &["qa", "dev"]) };
        let undefined = said(undefined);
        assert!(matches!(undefined.as_slice(), [one] if one.contains("`nobody`")), "{undefined:#?}");
    }

    #[test]
    fn what_can_run_and_what_only_a_value_spoils_is_let_through() {
        assert_eq!(said(etl("good", &["qa", "dev"])), Vec::<String>::new());
        assert_eq!(said(etl("odd", &["qa", "dev"])), Vec::<String>::new());
    }
}
