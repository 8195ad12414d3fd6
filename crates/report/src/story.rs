//! Stories of a run: what five people live through, in sentences made of its figures. A figure that the run cannot carry
//! has no sentence, or one that says what is missing.

use schema::comparison::RankVerdict;
use schema::metric::{Metric, Unit};
use schema::projection::{Projected, ProjectedUnit, Projection, READING_WORDS_PER_MINUTE, TOKENS_PER_WORD};
use schema::story::{Chapter, Story};
use schema::summary::{Distribution, Estimate, Percentile, Summary, TargetSummary};
use schema::target::TargetName;

use crate::number::{self, count, percent};
use crate::terminal::{Line, Style};
use crate::{Align, Cell, Column, Listing, clean, grid, mark, projection};

/// The stories of `target` (the one that people wait for least where none is named), beside the others of its run;
/// `projected` is the same run's impact. `None` when the run has no such target with a completed request.
pub fn story(summary: &Summary, projected: &Projected, target: Option<&TargetName>) -> Option<Story> {
    let completed: Vec<&TargetSummary> = summary.targets.iter().filter(|t| t.completed > 0).collect();
    let wait = |t: &&&TargetSummary| t.metrics.get(&Metric::E2e).map_or(f64::INFINITY, |d| d.mean.value);
    let least = completed.iter().min_by(|a, b| wait(a).total_cmp(&wait(b))).copied();
    let hero = target.map_or(least, |name| completed.iter().find(|t| t.target == *name).copied())?;
    let others = completed.iter().filter(|t| t.target != hero.target);
    let rival = others.max_by(|a, b| wait(a).total_cmp(&wait(b))).copied();
    let cast = Cast { summary, hero, rival, projected };
    let chapters = [
        ("The impatient customer", cast.customer()),
        ("The debugging developer", cast.developer()),
        ("The writer's flow", cast.writer()),
        ("The support agent's day", cast.agent()),
        ("The executive's question", cast.executive()),
    ];
    let chapter = |(title, sentences): (&str, Vec<String>)| Chapter { title: title.to_owned(), sentences };
    Some(Story {
        name: summary.name.clone(),
        target: hero.target.clone(),
        simulated: mark::of_all(summary.targets.iter().map(|target| (&target.target, target.simulated))),
        chapters: chapters.into_iter().filter(|(_, sentences)| !sentences.is_empty()).map(chapter).collect(),
        assumptions: projected.assumptions.clone(),
    })
}

/// Who is in it.
struct Cast<'a> {
    summary: &'a Summary,
    hero: &'a TargetSummary,
    /// Whom people wait for longest of the others.
    rival: Option<&'a TargetSummary>,
    projected: &'a Projected,
}

impl Cast<'_> {
    fn customer(&self) -> Vec<String> {
        let first = |t| distribution(t, Metric::TtftVisible).or_else(|| distribution(t, Metric::Ttft));
        let Some(words) = first(self.hero) else { return Vec::new() };
        let name = called(self.hero);
        let mut told = vec![match median(words) {
            Some(typical) => {
                format!("A customer asks {name} a question and looks at an empty screen for {}.", time(typical))
            }
            None => format!(
                "A customer asks {name} a question and looks at an empty screen for {}{}.",
                time(&words.mean),
                if words.n == 1 { ", the one time that it was measured" } else { " on average" }
            ),
        }];
        told.push(match known(&words.p95) {
            Some(slow) => format!("One question in twenty takes {} or longer to begin.", time(slow)),
            None => "How long one question in twenty takes, this run has too few requests to say.".to_owned(),
        });
        told.extend(self.share("answers that begin after 1 s").map(|share| {
            format!("{share} of the answers begin after a second, where the flow of thought breaks (Nielsen, 1993).")
        }));
        told.extend(
            self.share("answers that begin after 10 s")
                .map(|share| format!("{share} begin after ten seconds, where attention is lost.")),
        );
        told.extend(self.rival.and_then(|rival| {
            let theirs = first(rival)?;
            let (ours, theirs) = median(words).zip(median(theirs))?;
            Some(format!("At {} the screen stays empty for {}{}.", called(rival), time(theirs), apart(ours, theirs)))
        }));
        told
    }

    fn developer(&self) -> Vec<String> {
        let name = called(self.hero);
        let Some(whole) = distribution(self.hero, Metric::E2e) else { return Vec::new() };
        let mut told = vec![format!(
            "A developer looks for a bug with {name} and waits {} for {}.",
            time(&whole.mean),
            if whole.n == 1 { "the one whole answer there is" } else { "each whole answer, on average" }
        )];
        told.extend(distribution(self.hero, Metric::Stall).and_then(|stall| known(&stall.p95)).map(|stall| {
            format!(
                "In one answer of twenty the text stands still for {} or longer, and the eye goes elsewhere.",
                time(stall)
            )
        }));
        let (ours, all) = (count(self.hero.completed), count(self.hero.attempted));
        told.push(match self.hero.attempted {
            1 => "The one attempt was answered.".to_owned(),
            attempted if self.hero.completed == attempted => format!("All {all} attempts were answered."),
            _ => format!("{ours} of {all} attempts were answered; each of the others is a thought begun again."),
        });
        told.extend(self.rival.and_then(|rival| {
            let theirs = distribution(rival, Metric::E2e)?;
            Some(format!(
                "{} takes {} for a whole answer{}.",
                called(rival),
                time(&theirs.mean),
                apart(&whole.mean, &theirs.mean)
            ))
        }));
        told
    }

    fn writer(&self) -> Vec<String> {
        let Some(speed) = distribution(self.hero, Metric::OutputSpeed).and_then(median) else { return Vec::new() };
        let mut told = vec![format!(
            "A writer sees the text of {} come at {} tokens/s.",
            called(self.hero),
            number::rate(speed).in_line()
        )];
        let reading = READING_WORDS_PER_MINUTE.0 * TOKENS_PER_WORD.0 / 60.0;
        let times = |x: f64| number::number(x / reading);
        let ends = speed
            .low
            .zip(speed.high)
            .map(|(low, high)| format!(" ({}–{})", times(low), times(high)))
            .unwrap_or_default();
        let pace = format!("{}{ends} times as fast as it is read silently", times(speed.value));
        let ((words, by_whom), (tokens, rule)) = (READING_WORDS_PER_MINUTE, TOKENS_PER_WORD);
        let source = format!("{words} words a minute ({by_whom}) at {tokens} tokens a word ({rule})");
        told.push(if speed.value < reading {
            format!("That is only {pace}: {source}. The reader waits for the writer's machine.")
        } else {
            format!("That is {pace}: {source}. The machine keeps ahead of the eye.")
        });
        told.extend(
            distribution(self.hero, Metric::Jitter)
                .and_then(median)
                .map(|jitter| format!("The rhythm varies by {} from word to word in a typical answer.", time(jitter))),
        );
        told
    }

    fn agent(&self) -> Vec<String> {
        let Some(each) = self.figure("wait for an answer") else { return Vec::new() };
        let mut told = vec![format!(
            "A support agent waits {} for {}: {}.",
            projection::in_words(each),
            called(self.hero),
            each.how
        )];
        told.push(match self.figure("waiting of one user a day") {
            Some(day) => format!("In a day of as many answers as were assumed that comes to {}.", projection::in_words(day)),
            None => "What that comes to in a day depends on how many answers that is; `--interactions-per-user-per-day` says it.".to_owned(),
        });
        told.extend(
            self.figure("waiting of all users a year")
                .map(|year| format!("All agents together wait {} a year.", projection::in_words(year))),
        );
        told
    }

    fn executive(&self) -> Vec<String> {
        let mut told: Vec<String> = self.winner().into_iter().collect();
        told.extend(
            self.hero
                .cost
                .as_ref()
                .filter(|cost| cost.per_request_usd.is_some())
                .map(|cost| format!("A thousand requests to {} cost {}.", called(self.hero), cost.per_1k_requests_usd)),
        );
        for (figure, sentence) in [
            ("cost of waiting a year", "The waiting costs"),
            ("cost a year by the token", "The tokens cost"),
            ("cost a year self-hosted", "The self-hosted option costs"),
        ] {
            told.extend(self.figure(figure).map(|cost| format!("{sentence} {} a year.", projection::in_words(cost))));
        }
        told.extend(self.figure("break-even").map(|even| {
            format!("Self-hosting costs less from {} on, if it carries them.", projection::in_words(even))
        }));
        told.push(format!("How far to trust this: {}.", self.summary.quality.trust.in_words()));
        told
    }

    /// Who wins, as surely as it is known.
    fn winner(&self) -> Option<String> {
        let comparison = self.summary.comparison.as_ref()?;
        let ranking =
            comparison.rankings.iter().find(|ranking| !matches!(ranking.verdict, RankVerdict::NotEnoughData))?;
        let what = ranking.criterion.heading();
        let marked = |name: &TargetName| {
            let target = self.summary.targets.iter().find(|target| target.target == *name);
            target.map_or_else(|| format!("`{name}`"), called)
        };
        let names = |names: &[TargetName]| names.iter().map(marked).collect::<Vec<_>>().join(" and ");
        Some(match &ranking.verdict {
            RankVerdict::Leader(name) => {
                format!("By {what}, {} is ahead of all others, and that is certain.", marked(name))
            }
            RankVerdict::Tie(tied) => format!("By {what}, {} are alike.", names(tied)),
            RankVerdict::TooCloseToCall(close) => {
                format!("By {what}, {} are too close to call with the data of this run.", names(close))
            }
            RankVerdict::NotEnoughData => return None,
        })
    }

    fn figure(&self, name: &str) -> Option<&Projection> {
        let own = self.projected.targets.iter().find(|t| t.target == self.hero.target)?;
        own.projections.iter().find(|projection| projection.figure == name)
    }

    fn share(&self, name: &str) -> Option<String> {
        let found = self.figure(name).filter(|found| found.unit == ProjectedUnit::Share)?;
        let Estimate { value, low, high } = found.estimate;
        let ends =
            low.zip(high).map(|(low, high)| format!(" ({}–{})", percent(low), percent(high))).unwrap_or_default();
        Some(format!("{}{ends}", percent(value)))
    }
}

/// A target's name, with the mark of a simulated engine.
fn called(target: &TargetSummary) -> String {
    let mark = if target.simulated { " (SIMULATED)" } else { "" };
    format!("`{}`{mark}", target.target)
}

fn distribution(target: &TargetSummary, metric: Metric) -> Option<&Distribution> {
    target.metrics.get(&metric)
}

fn known(percentile: &Percentile) -> Option<&Estimate> {
    percentile.known()
}

fn median(distribution: &Distribution) -> Option<&Estimate> {
    known(&distribution.p50)
}

fn time(estimate: &Estimate) -> String {
    number::estimate(estimate, Unit::Nanos).in_line()
}

/// Whether two estimates' intervals are apart, as the end of a sentence.
fn apart(ours: &Estimate, theirs: &Estimate) -> &'static str {
    let range = |estimate: &Estimate| estimate.low.zip(estimate.high);
    match range(ours).zip(range(theirs)) {
        Some(((low, high), (their_low, their_high))) if high < their_low || their_high < low => "",
        Some(_) => ", which may be the same: the ranges overlap",
        None => ", which may be luck: there are too few answers to say",
    }
}

/// For a terminal: a heading a person, paragraphs, then the assumptions.
pub fn story_text(story: &Story, style: Style) -> String {
    let width = style.columns();
    let title = mark::headed(&story.name, &story.simulated);
    let mut lines: Vec<Line> = grid::paragraph(&title, width).into_iter().map(Line::Heading).collect();
    for chapter in &story.chapters {
        lines.push(Line::Plain(String::new()));
        lines.push(Line::Heading(clean::terminal(&chapter.title)));
        lines.extend(grid::paragraph(&chapter.sentences.join(" "), width).into_iter().map(Line::Plain));
    }
    lines.extend(assumptions(story).into_iter().flat_map(|line| grid::paragraph(&line, width)).map(Line::Plain));
    style.finish(&lines)
}

/// As Markdown.
pub fn story_markdown(story: &Story) -> String {
    let mut lines = vec![format!("# {}", clean::markdown(&mark::headed(&story.name, &story.simulated)))];
    for chapter in &story.chapters {
        lines.extend([String::new(), format!("## {}", clean::markdown(&chapter.title)), String::new()]);
        lines.push(clean::markdown(&chapter.sentences.join(" ")));
    }
    lines.extend(assumptions(story).iter().map(|line| clean::markdown(line)));
    lines.push(String::new());
    lines.join("\n")
}

fn assumptions(story: &Story) -> Vec<String> {
    let of = |one: &schema::projection::Assumption| projection::assumed_in_words(one);
    if story.assumptions.is_empty() {
        return Vec::new();
    }
    let all: Vec<String> = story.assumptions.iter().map(of).collect();
    vec![String::new(), format!("Assumed: {}.", all.join("; "))]
}

/// A row a sentence, for programs and spreadsheets.
pub fn story_rows(story: &Story) -> Listing {
    let left = |key, heading| Column { key, heading, align: Align::Left };
    let row = |chapter: &str, sentence: &str| {
        vec![Cell::Text(chapter.to_owned()), Cell::Text(sentence.to_owned()), Cell::Flag(!story.simulated.is_empty())]
    };
    let sentences = story.chapters.iter().flat_map(|c| c.sentences.iter().map(move |s| row(&c.title, s)));
    let assumed = story.assumptions.iter().map(|one| row("assumed", &projection::assumed_in_words(one)));
    Listing {
        title: story.name.clone(),
        columns: vec![left("story", "Story"), left("sentence", "Sentence"), left("simulated", "Simulated")],
        rows: sentences.chain(assumed).collect(),
    }
}

#[cfg(test)]
mod tests {
    use schema::comparison::{Comparison, Criterion, Ranking};

    use super::*;

    #[test]
    fn a_story_of_a_partly_simulated_run_says_which_targets_are() {
        let mut summary = crate::tests::summary();
        let names: Vec<TargetName> = summary.targets.iter().take(2).map(|target| target.target.clone()).collect();
        let [real, simulated] = names.as_slice() else { unreachable!("of more than two") };
        summary.comparison = Some(Comparison {
            format_version: 2,
            name: summary.name.clone(),
            simulated: true,
            rankings: vec![Ranking {
                criterion: Criterion::TtftP50,
                standings: Vec::new(),
                pairs: Vec::new(),
                verdict: RankVerdict::Tie(names.clone()),
            }],
            dimensions: Vec::new(),
            overall: None,
            fronts: Vec::new(),
            warnings: Vec::new(),
            unlike: Vec::new(),
        });
        let projected =
            Projected { name: "evening".into(), simulated: true, assumptions: Vec::new(), targets: Vec::new() };
        let story = story(&summary, &projected, Some(real)).unwrap();
        let heading = format!("evening  partly SIMULATED: {simulated}");
        let text = story_text(&story, Style { width: 120, color: false });
        assert_eq!(text.lines().next(), Some(heading.as_str()));
        assert!(text.contains(&format!("`{real}` and `{simulated}` (SIMULATED) are alike")), "{text}");
        assert!(story_markdown(&story).starts_with(&format!("# {heading}\n")), "{}", story_markdown(&story));
    }

    #[test]
    fn ranges_that_do_not_overlap_are_told_apart_whichever_is_the_longer() {
        let range = |low, high| Estimate { value: f64::midpoint(low, high), low: Some(low), high: Some(high) };
        assert_eq!(apart(&range(1.0, 2.0), &range(3.0, 4.0)), "");
        assert_eq!(apart(&range(3.0, 4.0), &range(1.0, 2.0)), "");
        assert!(apart(&range(1.0, 3.0), &range(2.0, 4.0)).contains("may be the same"));
        let single = Estimate { value: 9.0, low: None, high: None };
        assert!(
            apart(&range(1.0, 3.0), &single).contains("too few answers"),
            "a single answer has no range to overlap"
        );
    }
}
