//! Lists of brokers, `host:port,host:port`, and which of them are the same. It asks no name service: a host under two names
//! is two hosts here.

use super::environment::EMBEDDED;

/// The brokers of a list, each once, written one way: no protocol before them, lower case, no point behind the host.
pub fn of(list: &str) -> Vec<String> {
    let mut brokers = Vec::new();
    for written in list.split(',').map(str::trim).filter(|written| !written.is_empty()) {
        let broker = if written.starts_with(EMBEDDED) { EMBEDDED.to_owned() } else { plain(written) };
        if !brokers.contains(&broker) {
            brokers.push(broker);
        }
    }
    brokers
}

fn plain(written: &str) -> String {
    let address = written.split_once("://").map_or(written, |(_, address)| address).to_lowercase();
    match address.rsplit_once(':') {
        Some((host, port)) => format!("{}:{port}", host.trim_end_matches('.')),
        None => address,
    }
}

/// Whose brokers those of a list are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whose {
    /// Environments that have any of them, in their order.
    pub environments: Vec<String>,
    /// Those that no environment has.
    pub unknown: Vec<String>,
}

impl Whose {
    /// Those of another list too, each once.
    pub fn add(&mut self, other: Self) {
        for (all, more) in [(&mut self.environments, other.environments), (&mut self.unknown, other.unknown)] {
            let new: Vec<String> = more.into_iter().filter(|name| !all.contains(name)).collect();
            all.extend(new);
        }
    }
}

/// Whose the brokers of a list are, among environments by name and list. Where all are brokers of `own` they are its alone:
/// its connection is the one that is used.
pub fn whose<'e>(list: &str, own: Option<&str>, environments: impl Iterator<Item = (&'e str, &'e str)>) -> Whose {
    let environments: Vec<(&str, Vec<String>)> = environments.map(|(name, list)| (name, of(list))).collect();
    let written = of(list);
    let is_own = |(name, known): &&(&str, Vec<String>)| {
        Some(*name) == own && written.iter().all(|broker| known.contains(broker))
    };
    if let Some((name, _)) = environments.iter().find(is_own) {
        return Whose { environments: vec![(*name).to_owned()], unknown: Vec::new() };
    }
    let has_any = |known: &[String]| known.iter().any(|broker| written.contains(broker));
    let is_known = |broker: &String| environments.iter().any(|(_, known)| known.contains(broker));
    Whose {
        environments: environments
            .iter()
            .filter(|(_, known)| has_any(known))
            .map(|(name, _)| (*name).to_owned())
            .collect(),
        // The broker in this process is nobody else's.
        unknown: written.iter().filter(|broker| *broker != EMBEDDED && !is_known(broker)).cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [(&str, &str); 3] = [("dev", "d1:9092"), ("prod", "P1:9092, p2:9092"), ("mirror", "SSL://p2.:9092")];

    fn check(list: &str, own: &str, environments: &[&str], unknown: &[&str]) {
        let found = whose(list, Some(own), KNOWN.into_iter());
        assert_eq!((found.environments, found.unknown), (strings(environments), strings(unknown)), "{list} in {own}");
    }

    fn strings(given: &[&str]) -> Vec<String> {
        given.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn brokers_belong_to_every_environment_that_has_one_of_them_however_they_are_written() {
        check("d1:9092", "dev", &["dev"], &[]);
        check("p1:9092", "dev", &["prod"], &[]);
        check("PLAINTEXT://P2:9092", "dev", &["prod", "mirror"], &[]);
        check("p2:9092,p1:9092", "prod", &["prod"], &[]);
        check("d1:9092,p1:9092", "dev", &["dev", "prod"], &[]);
        check("d1:9093", "dev", &[], &["d1:9093"]);
        check("p1:9092, elsewhere:9092,elsewhere:9092", "dev", &["prod"], &["elsewhere:9092"]);
        check("embedded://", "dev", &[], &[]);
    }
}
