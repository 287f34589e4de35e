//! The arguments as typed; what they mean is resolved by the commands.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};
use tare_model::Group;
use tare_runner::{Choice, SUITES, Suite};

/// Compares microservices as Wasm components and as Docker images, on this machine.
#[derive(Debug, Parser)]
#[command(version, about, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build everything, measure it in rounds, print the comparison and render its report
    Compare(CompareArgs),
    /// Build everything that a comparison needs, and measure nothing
    Build(SelectArgs),
    /// Tell what this machine has, what it lacks, and what to do about it
    Doctor(OutputArgs),
    /// List services, platforms with their variants, metrics and suites
    List(OutputArgs),
    /// Print the comparison of an earlier run again and render its report, from its files
    Report(ReportArgs),
    /// Tell whether two runs of the same suite say the same: a check of the machine and of this program
    Agree(AgreeArgs),
    /// Remove what was built: images, containers of dead runs, the harness's files under target/
    Clean(CleanArgs),
}

/// What to measure or build.
#[derive(Debug, clap::Args)]
pub struct SelectArgs {
    /// Only these services (repeat or separate by commas)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub service: Vec<String>,
    /// Only these platforms, or variants as PLATFORM/VARIANT
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub platform: Vec<String>,
}

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// How much to measure; `list` tells what each takes
    #[arg(long, default_value = "standard", value_parser = PossibleValuesParser::new(SUITES.iter().map(|suite| suite.name)))]
    pub suite: String,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Only these families of metrics
    #[arg(long, value_name = "FAMILY", value_delimiter = ',', value_parser = parse_group)]
    pub only: Vec<Group>,
    /// The seed of the order of subjects and of the requests; drawn where none is given, and on the record
    #[arg(long)]
    pub seed: Option<u64>,
    /// The most rounds, instead of the suite's number
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
    /// The folder of the runs, instead of results/ in the checkout
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// The folder of the rendered reports, instead of reports/ in the checkout
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How to print.
#[derive(Debug, clap::Args)]
pub struct OutputArgs {
    /// Print JSON on standard output, for a script
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// The run's name under results/, or a path to its folder
    #[arg(default_value = "latest")]
    pub run: String,
    /// Another run, to be put beside it
    #[arg(long, value_name = "RUN")]
    pub against: Option<String>,
    /// The folder of the runs, instead of results/ in the checkout
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// The folder of the rendered reports, instead of reports/ in the checkout
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `agree`.
#[derive(Debug, clap::Args)]
pub struct AgreeArgs {
    /// A run's name under results/, or a path to its folder
    pub one: String,
    /// Another
    pub other: String,
    /// The folder of the runs, instead of results/ in the checkout
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
}

/// Arguments of `clean`.
#[derive(Debug, clap::Args)]
pub struct CleanArgs {
    /// Remove the runs under results/, too (not results/baseline)
    #[arg(long)]
    pub results: bool,
}

fn parse_group(text: &str) -> Result<Group, String> {
    let found = Group::ALL.iter().copied().find(|group| group.name() == text);
    let names: Vec<&str> = Group::ALL.iter().map(|group| group.name()).collect();
    found.ok_or_else(|| format!("no such family of metrics; there are: {}", names.join(", ")))
}

impl CompareArgs {
    /// The suite of that name.
    ///
    /// # Panics
    /// Never: the parser admits the names of suites only.
    pub fn suite(&self) -> &'static Suite {
        SUITES.iter().find(|suite| suite.name == self.suite).expect("clap admits the names of suites only")
    }

    /// What is to be measured, with this seed.
    pub fn choice(&self, seed: u64) -> Choice {
        let chosen = self.select.choice(seed);
        Choice { only: self.only.clone(), rounds: self.rounds, scope: self.suite().scope, ..chosen }
    }

    /// The command line that repeats the run.
    pub fn repeat(&self, seed: u64) -> Vec<String> {
        let mut command: Vec<String> =
            ["cargo", "run", "--release", "--", "compare", "--suite", &self.suite].map(String::from).into();
        let only: Vec<String> = self.only.iter().map(|group| group.name().to_owned()).collect();
        for (flag, values) in
            [("--service", &self.select.service), ("--platform", &self.select.platform), ("--only", &only)]
        {
            if !values.is_empty() {
                command.extend([flag.to_owned(), values.join(",")]);
            }
        }
        if let Some(rounds) = self.rounds {
            command.extend(["--rounds".to_owned(), rounds.to_string()]);
        }
        command.extend(["--seed".to_owned(), seed.to_string()]);
        command
    }
}

impl SelectArgs {
    /// What is chosen; everything else as it comes.
    pub fn choice(&self, seed: u64) -> Choice {
        let (services, platforms) = (self.service.clone(), self.platform.clone());
        Choice { services, platforms, seed, ..Choice::default() }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_run_can_be_repeated_by_its_recorded_command() {
        let typed = ["tare", "compare", "--suite", "quick", "--platform", "native,docker/scratch", "--only", "size"];
        let Command::Compare(args) = Cli::parse_from(typed).command else { panic!("compare was typed") };
        let repeat = args.repeat(7);
        assert_eq!(
            repeat.join(" "),
            "cargo run --release -- compare --suite quick --platform native,docker/scratch --only size --seed 7"
        );
        let again = std::iter::once("tare".to_owned()).chain(repeat.into_iter().skip(4));
        let Command::Compare(again) = Cli::parse_from(again).command else { panic!("compare was recorded") };
        assert_eq!(again.repeat(again.seed.unwrap()), args.repeat(7));
    }

    #[test]
    fn a_wrong_family_is_told_with_the_right_ones() {
        let error = Cli::try_parse_from(["tare", "compare", "--only", "speed"]).unwrap_err().to_string();
        assert!(error.contains("there are: size, startup, memory, load"), "{error}");
    }
}
