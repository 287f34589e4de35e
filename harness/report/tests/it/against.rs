//! A run read against another.

use tare_model::metrics::{SIZE, STARTUP_COLD, THROUGHPUT};
use tare_model::{Change, RunRecord, Sample};
use tare_report::{Content, Other, comparison, page, terminal};
use tare_stats::{Summary, summarise};

use crate::example::{Made, content, record, reference_of};
use crate::terminal::NARROW;

const SUBJECTS: [&str; 3] = ["orders/native/process", "orders/wasmtime/aot", "orders/docker/scratch"];

/// A run in which one subject's figures are this many times those of the other run; of another there are three rounds of a start,
/// and a throughput that differs widely from round to round.
fn taken(times: f64) -> Vec<Sample> {
    let steady = Made::by(SUBJECTS[0]).cold(&[("spawn", 1.0)]).rounds(10, &THROUGHPUT, "closed", 5000.0);
    let moved = Made::by(SUBJECTS[1]).once(&SIZE, "artifact", 4e5).cold(&[("spawn", 2.0 * times)]).rounds(
        10,
        &THROUGHPUT,
        "closed",
        1000.0 * times,
    );
    let short = Made::by(SUBJECTS[2]).rounds(3, &STARTUP_COLD, "total", 9e7 * times);
    let wide = (1..=10).zip([0.6, 0.7, 0.8, 0.9, 1.0, 1.0, 1.1, 1.2, 1.3, 1.4]);
    let short = wide.fold(short, |made, (round, share)| made.add(round, &THROUGHPUT, "closed", 4000.0 * share));
    [steady, moved, short].into_iter().flat_map(Made::samples).collect()
}

/// A later run, and the one that it is read against.
fn runs() -> ((RunRecord, Vec<Sample>), (RunRecord, Vec<Sample>)) {
    let (mut later, earlier) = (record(&SUBJECTS), record(&SUBJECTS));
    later.run = "later".into();
    later.git_commit = Some("abcdef0".into());
    ((later, taken(1.5)), (earlier, taken(1.0)))
}

fn with_other<T>(shown: impl Fn(&Content<'_>) -> T) -> T {
    let ((record, samples), (other, other_samples)) = runs();
    let reference = reference_of(&record);
    let [summary, other_summary]: [Summary; 2] = [&samples, &other_samples].map(|all| summarise(all, &reference));
    let against = Some(Other { record: &other, summary: &other_summary });
    shown(&Content { against, ..content(&record, &summary, &samples) })
}

#[test]
fn two_runs_are_compared_subject_by_subject() {
    let text = with_other(|content| terminal(content, NARROW));
    let section = &text[text.find("orders, against").unwrap()..text.find("Overview").unwrap()];
    insta::assert_snapshot!(section, @r"
    orders, against 20261122-182125

                    size ────────────────  start-up ──────────────  full load ──────────────
                    shipped, MB            cold, ms                 throughput, requests/s
    native/process  –                      1.00 → 1.00 1.00× =      4,988 → 4,988 1.00× =
    wasmtime/aot    0.400 → 0.400 1.00× =  2.00 → 3.01 1.50× worse  998 → 1,496 1.50× better
    docker/scratch  –                      90.0 → 135 1.50× ?       4,000 → 4,000 1.00× ?

    Against the other run
      a → b   the median of 20261122-182125 and of later, then the second over the first; nothing is
              paired, as the runs were not interleaved
      worse   regressed: the 95 % intervals have nothing in common (sizes, which are exact, differ).
              What changed on the machine between the runs counts, too
      better  improved: the same the other way round
      =       unchanged: the intervals overlap and reach no further than 5 % from their medians, or the
              medians differ by less than half a percent
      ?       inconclusive: the intervals overlap and are wider, or one has too few rounds for an
              interval
      differ  between the runs: commit
    ");
}

#[test]
fn as_data_there_are_the_cells_of_the_table_with_their_verdicts() {
    let data = with_other(|content| comparison(content).unwrap());
    assert_eq!((data.other.as_str(), &data.differ[..]), ("20261122-182125", &["commit"][..]));
    let row = |platform: &str, metric: &str| {
        data.cells.iter().find(|row| row.platform == platform && row.metric == metric).unwrap()
    };
    for (platform, metric, verdict) in [
        ("native", "startup_cold", Change::Unchanged),
        ("wasmtime", "startup_cold", Change::Regressed),
        ("wasmtime", "throughput", Change::Improved),
        ("wasmtime", "size", Change::Unchanged),
        ("docker", "startup_cold", Change::Inconclusive),
        ("docker", "throughput", Change::Inconclusive),
    ] {
        assert_eq!(row(platform, metric).verdict, verdict, "{platform} {metric}");
    }
    let slower = row("wasmtime", "startup_cold");
    let (from, to) = (slower.from.unwrap(), slower.to.unwrap());
    assert_eq!(slower.ratio, Some(to.median / from.median));
    assert!(from.ci_low.unwrap() < from.median && to.ci_high.unwrap() > to.median, "{slower:?}");
    assert_eq!(row("docker", "startup_cold").from.unwrap().ci_low, None, "three rounds have no interval");
    let json = serde_json::to_value(slower).unwrap();
    assert_eq!(
        (&json["verdict"], &json["unit"], &json["better"]),
        (&"regressed".into(), &"ns".into(), &"lower".into())
    );
}

#[test]
fn the_page_has_the_words_of_the_table() {
    let html = with_other(|content| page(content).html);
    let against = html.split("id=\"against\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(against.contains("1.50× worse") && against.contains("1.50× better"), "{against}");
}

#[test]
fn without_another_run_nothing_is_compared() {
    let ((record, samples), _) = runs();
    let summary = summarise(&samples, &reference_of(&record));
    assert_eq!(comparison(&content(&record, &summary, &samples)), None);
}
