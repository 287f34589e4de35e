//! The arguments as typed; what they mean is resolved by the commands.

mod quick;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};
use tare_model::{Arrivals, Group};
use tare_runner::{Choice, SUITES, Suite};

pub use self::quick::QuickArgs;

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
    /// Tell what this machine has and lacks, what of a service can be measured here, and what to do about the rest
    Doctor(DoctorArgs),
    /// Write a commented service.toml, which runs as it is where it names what you have
    Init(InitArgs),
    /// List services, platforms with their variants, metrics and suites
    List(OutputArgs),
    /// Print the comparison of an earlier run again and render its report, from its files
    Report(ReportArgs),
    /// Tell whether two runs of the same suite say the same: a check of the machine and of this program
    Agree(AgreeArgs),
    /// Remove what was built: images, containers of dead runs, the harness's own files
    Clean(CleanArgs),
    /// Build everything and put it, with this program, into a folder from which it runs without Rust (see `cargo xtask dist`)
    #[command(hide = true)]
    Pack(PackArgs),
}

/// What to measure or build.
#[derive(Debug, Default, clap::Args)]
pub struct SelectArgs {
    /// Only these services (repeat or separate by commas): of the project's own by name, of yours by the path of their
    /// service.toml or its folder
    #[arg(long, value_name = "NAME|PATH", value_delimiter = ',')]
    pub service: Vec<String>,
    /// Only these implementations
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub implementation: Vec<String>,
    /// Only these platforms, or variants as PLATFORM/VARIANT
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub platform: Vec<String>,
    #[command(flatten)]
    pub quick: QuickArgs,
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
    /// How requests at a given rate fall in time: `random` as those of many users (a Poisson process), `even` with one in each
    /// slot of 1/rate, which is gentler
    #[arg(long, value_name = "HOW", default_value = Arrivals::default().name(), value_parser = parse_arrivals)]
    pub arrivals: Arrivals,
    /// The folder of the runs, instead of results/ (in the checkout, or in the current folder)
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// The folder of the rendered reports, instead of reports/ (in the checkout, or in the current folder)
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
    /// Exit with 1 where a figure is worse than in the run of --against by more than so many percent of it, and their 95 %
    /// intervals have nothing in common; with 2 where nothing can be told
    #[arg(long, value_name = "PERCENT", requires = "against", value_parser = parse_percent)]
    pub fail_beyond: Option<f64>,
    /// The folder of the runs, instead of results/ (in the checkout, or in the current folder)
    #[arg(long, value_name = "DIR")]
    pub results: Option<PathBuf>,
    /// The folder of the rendered reports, instead of reports/ (in the checkout, or in the current folder)
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The folder to write service.toml into; it is made where it is not there
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// An OpenAPI description, as JSON or YAML: a step for each operation that has an example
    #[arg(long, value_name = "FILE")]
    pub openapi: Option<PathBuf>,
    /// The path of the one request, where there is no description
    #[arg(long, alias = "path", value_name = "PATH", default_value = "/", conflicts_with = "openapi")]
    pub get: String,
    /// The component to measure
    #[arg(long, value_name = "FILE")]
    pub component: Option<String>,
    /// The program to measure, with its arguments
    #[arg(long, value_name = "COMMAND")]
    pub program: Option<String>,
    /// The image to measure
    #[arg(long, value_name = "NAME")]
    pub image: Option<String>,
    /// The port that the program, or what is in the image, listens on
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
}

/// Arguments of `pack`.
#[derive(Debug, clap::Args)]
pub struct PackArgs {
    /// The folder to write into; it must not be there, or be empty
    #[arg(value_name = "DIR")]
    pub out: PathBuf,
    /// Only what these platforms, or variants as PLATFORM/VARIANT, take; `headline` for what the shortest suite measures
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub platform: Vec<String>,
}

/// Arguments of `agree`.
#[derive(Debug, clap::Args)]
pub struct AgreeArgs {
    /// A run's name under results/, or a path to its folder
    pub one: String,
    /// Another
    pub other: String,
    /// The folder of the runs, instead of results/ (in the checkout, or in the current folder)
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

fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse().ok();
    let found = number.filter(|percent: &f64| percent.is_finite() && *percent >= 0.0);
    found.ok_or_else(|| "a percentage is a number that is not negative, such as 5".to_owned())
}

fn parse_group(text: &str) -> Result<Group, String> {
    let found = Group::ALL.iter().copied().find(|group| group.name() == text);
    let names: Vec<&str> = Group::ALL.iter().map(|group| group.name()).collect();
    found.ok_or_else(|| format!("no such family of metrics; there are: {}", names.join(", ")))
}

fn parse_arrivals(text: &str) -> Result<Arrivals, String> {
    let found = Arrivals::ALL.iter().copied().find(|arrivals| arrivals.name() == text);
    found.ok_or_else(|| {
        format!("there are {}", Arrivals::ALL.iter().map(|known| known.name()).collect::<Vec<_>>().join(" and "))
    })
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
        let (only, rounds, arrivals) = (self.only.clone(), self.rounds, self.arrivals);
        Choice { only, rounds, arrivals, scope: self.suite().scope, ..chosen }
    }

    /// The command line that repeats the run.
    pub fn repeat(&self, seed: u64, installed: bool) -> Vec<String> {
        let program: &[&str] = if installed { &["tare"] } else { &["cargo", "run", "--release", "--"] };
        let mut command: Vec<String> = program.iter().map(|&word| word.to_owned()).collect();
        command.extend(["compare", "--suite", &self.suite].map(String::from));
        let select = &self.select;
        let only: Vec<String> = self.only.iter().map(|group| group.name().to_owned()).collect();
        for (flag, values) in [
            ("--service", &select.service),
            ("--implementation", &select.implementation),
            ("--platform", &select.platform),
            ("--only", &only),
        ] {
            if !values.is_empty() {
                command.extend([flag.to_owned(), values.join(",")]);
            }
        }
        command.extend(select.quick.typed().into_iter().flat_map(|(name, value)| [name.to_owned(), value]));
        if let Some(rounds) = self.rounds {
            command.extend(["--rounds".to_owned(), rounds.to_string()]);
        }
        if self.arrivals != Arrivals::default() {
            command.extend(["--arrivals", self.arrivals.name()].map(String::from));
        }
        command.extend(["--seed".to_owned(), seed.to_string()]);
        command
    }
}

impl SelectArgs {
    /// What is chosen of the services that are; everything else as it comes.
    pub fn choice(&self, seed: u64) -> Choice {
        let (implementations, platforms) = (self.implementation.clone(), self.platform.clone());
        Choice { implementations, platforms, seed, ..Choice::default() }
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
        let typed = [
            "tare",
            "compare",
            "--suite",
            "quick",
            "--platform",
            "native,docker/scratch",
            "--only",
            "size",
            "--arrivals",
            "even",
        ];
        let Command::Compare(args) = Cli::parse_from(typed).command else { panic!("compare was typed") };
        let repeat = args.repeat(7, false);
        assert_eq!(
            repeat.join(" "),
            "cargo run --release -- compare --suite quick --platform native,docker/scratch --only size --arrivals even --seed 7"
        );
        let again = std::iter::once("tare".to_owned()).chain(repeat.into_iter().skip(4));
        let Command::Compare(again) = Cli::parse_from(again).command else { panic!("compare was recorded") };
        assert_eq!(again.repeat(again.seed.unwrap(), false), args.repeat(7, false));
    }

    #[test]
    fn what_is_named_without_a_file_is_recorded_and_can_be_repeated() {
        let typed = [
            "tare",
            "compare",
            "--component",
            "a.wasm",
            "--program",
            "./a --port {port}",
            "--image",
            "a:dev",
            "--get",
            "/healthz",
            "--env",
            "A=b",
            "--needs",
            "root,writable=/tmp,cap=CHOWN",
            "--memory-mib",
            "64",
        ];
        let Command::Compare(args) = Cli::parse_from(typed).command else { panic!("compare was typed") };
        let again = args.repeat(7, true);
        assert_eq!(again[0], "tare");
        let Command::Compare(repeated) = Cli::parse_from(&again).command else { panic!("compare was recorded") };
        assert_eq!(repeated.select.quick.resolve(), args.select.quick.resolve());
        let needs = args.select.quick.resolve().needs;
        assert_eq!(
            (needs.user.as_deref(), needs.writable, needs.capabilities),
            (Some("root"), vec!["/tmp".into()], vec!["CHOWN".into()])
        );
        assert!(Cli::try_parse_from(["tare", "compare", "--needs", "everything"]).is_err());
    }

    #[test]
    fn what_may_be_worse_is_a_percentage_against_another_run() {
        let beyond = |typed: &[&str]| match Cli::try_parse_from([&["tare", "report"], typed].concat()) {
            Ok(Cli { command: Command::Report(args) }) => Ok(args.fail_beyond),
            Ok(_) => panic!("report was typed"),
            Err(error) => Err(error.to_string()),
        };
        for typed in ["5", "5%", "5 %"] {
            assert_eq!(beyond(&["--against", "r1", "--fail-beyond", typed]), Ok(Some(5.0)));
        }
        assert!(beyond(&["--fail-beyond", "5"]).unwrap_err().contains("--against"));
        for wrong in ["-1", "NaN", "much"] {
            let error = beyond(&["--against", "r1", &format!("--fail-beyond={wrong}")]).unwrap_err();
            assert!(error.contains("a percentage is a number"), "{error}");
        }
    }

    #[test]
    fn a_wrong_family_is_told_with_the_right_ones() {
        let error = Cli::try_parse_from(["tare", "compare", "--only", "speed"]).unwrap_err().to_string();
        assert!(error.contains("there are: size, startup, memory, load"), "{error}");
    }
}
