//! What `--help` says, command by command: it teaches by examples, and scripts are promised the exit codes.

use super::support::Place;

const COMMANDS: [&[&str]; 17] = [
    &[],
    &["env"],
    &["env", "list"],
    &["env", "show"],
    &["env", "check"],
    &["etl"],
    &["etl", "list"],
    &["etl", "show"],
    &["etl", "validate"],
    &["etl", "preview"],
    &["run"],
    &["tail"],
    &["produce"],
    &["consume"],
    &["init"],
    &["schema"],
    &["doctor"],
];

#[test]
fn the_help_of_every_command_is_as_it_was_read_last() {
    let place = Place::shipped();
    for command in COMMANDS {
        let help = place.run(&[command, &["--help"]].concat()).expect(0);
        let name = if command.is_empty() { "velox-tui".to_owned() } else { command.join("-") };
        insta::assert_snapshot!(format!("help-{name}"), help.stdout);
    }
}

#[test]
fn every_command_that_does_something_shows_an_example() {
    let place = Place::shipped();
    for command in COMMANDS.iter().filter(|command| !matches!(command, [] | ["env"] | ["etl"])) {
        let help = place.run(&[command, &["--help"][..]].concat()).expect(0).stdout;
        assert!(help.contains("Examples:"), "{command:?}");
    }
    for command in ["run", "tail", "produce", "consume", "doctor"] {
        assert!(place.run(&[command, "--help"]).expect(0).stdout.contains("Exit codes:"), "{command}");
    }
}

#[test]
fn a_line_that_cannot_be_parsed_ends_with_two_in_either_format() {
    let place = Place::shipped();
    let text = place.run(&["run", "--cuont", "3"]).expect(2);
    assert!(text.stderr.contains("--count"), "{}", text.stderr);
    let json = place.run(&["--format", "json", "run", "--cuont", "3"]).expect(2);
    assert_eq!(json.error()["exit_code"], 2);
    assert_eq!((text.stdout.as_str(), json.stdout.as_str()), ("", ""));
}
