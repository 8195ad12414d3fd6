//! Scenes with a person in them who waits: what is said there, and what that person is waiting for.

use schema::plan::{Prompt, Scenario};
use schema::projection::WaitsFor;

/// One scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene {
    /// Its title, for people.
    pub title: &'static str,
    /// Who waits, as a sentence begins with it: `The customer`.
    pub person: &'static str,
    /// What goes on, in a sentence or two.
    pub setting: &'static str,
    /// What that person is waiting for.
    pub waits_for: WaitsFor,
    /// System message.
    pub system: &'static str,
    /// What the person says, turn by turn; one at least.
    pub messages: &'static [&'static str],
}

impl Scene {
    /// All that is said in it, as one conversation.
    pub(crate) fn prompt(&self) -> Prompt {
        let (first, later) = self.messages.split_first().expect("somebody says something in every scene");
        Prompt {
            system: Some(self.system.to_owned()),
            followups: later.iter().map(|text| (*text).to_owned()).collect(),
            ..Prompt::of(*first)
        }
    }
}

/// The scene of a scenario.
pub const fn scene(scenario: Scenario) -> &'static Scene {
    match scenario {
        Scenario::CustomerSupport => &CUSTOMER_SUPPORT,
        Scenario::CodeReview => &CODE_REVIEW,
        Scenario::CreativeWriting => &CREATIVE_WRITING,
        Scenario::TechnicalDocumentation => &TECHNICAL_DOCUMENTATION,
        Scenario::BusinessIntelligence => &BUSINESS_INTELLIGENCE,
    }
}

const CUSTOMER_SUPPORT: Scene = Scene {
    title: "Customer support",
    person: "The customer",
    setting: "A parcel has not come, and the chat window of the shop is open on a telephone at a bus stop.",
    waits_for: WaitsFor::FirstWords,
    system: "You are the support assistant of a small shop for camping gear. Be polite, brief and concrete. Offer one \
             next step at the end of every answer.",
    messages: &[
        "My tent was to arrive on Tuesday and it is Friday. The tracking page has said \"in transit\" for three days, \
         and we leave tomorrow morning at seven. What can you do for me?",
        "A replacement would not come in time. Can I pick one up somewhere tonight, and do I have to send the other \
         one back myself when it comes?",
    ],
};

const CODE_REVIEW: Scene = Scene {
    title: "Code review",
    person: "The developer",
    setting: "A change is ready to be merged, and its author asks for a review before going on with the next one.",
    waits_for: WaitsFor::WholeAnswer,
    system: "You are an experienced reviewer. Name real defects first, each with the line it is in and a corrected \
             line. Leave matters of taste out.",
    messages: &[
        "Please review this Python function:\n\n\
         def average_latency(samples, seen=[]):\n    \
         for s in samples:\n        \
         if s[\"status\"] == 200 or 204:\n            \
         seen.append(s[\"latency_ms\"])\n    \
         return sum(seen) / len(seen)",
        "Thanks. Write the corrected function with type hints, and three tests that would have caught what you found.",
    ],
};

const CREATIVE_WRITING: Scene = Scene {
    title: "Creative writing",
    person: "The writer",
    setting: "A story is stuck in its second scene. The writer reads along while the suggestion is written.",
    waits_for: WaitsFor::BeyondReading,
    system: "You are a co-author with a plain, precise style. Continue in the voice you are given. No summaries, no \
             headings.",
    messages: &[
        "The lighthouse keeper had counted the steps every night for thirty years, and tonight there was one more. \
         Continue from there, in the past tense, about a dozen sentences.",
        "Now the same scene from the point of view of whoever built the additional step.",
    ],
};

const TECHNICAL_DOCUMENTATION: Scene = Scene {
    title: "Technical documentation",
    person: "The engineer",
    setting: "A service is down at night, and the engineer on call asks the documentation assistant what to do.",
    waits_for: WaitsFor::FirstWords,
    system: "You answer from the operating manual of a payment service. Numbered steps, one command each, and what a \
             good result looks like. Warn before anything that cannot be undone.",
    messages: &[
        "The queue of outgoing transfers has grown to 40,000 and consumers report \"lease expired\". How do I find out \
         whether it is the broker or our workers, and how do I drain the queue without sending anything twice?",
        "It was the workers: their clocks are 90 seconds behind. Write the section of the manual that would have saved \
         me this night.",
    ],
};

const BUSINESS_INTELLIGENCE: Scene = Scene {
    title: "Business intelligence",
    person: "The analyst",
    setting: "A board meeting begins in ten minutes, and one table still has no explanation.",
    waits_for: WaitsFor::WholeAnswer,
    system: "You are an analyst. State the finding first, then the figures it rests on, then what they cannot tell. \
             Never invent a number.",
    messages: &[
        "Revenue by region in thousand euros, Q2 then Q3: North 412, 388; South 305, 341; East 198, 121; West 530, 544. \
         Orders: North 1,030, 1,012; South 870, 902; East 610, 402; West 1,205, 1,198. What happened, and where should \
         we look first?",
        "Put that into three sentences for the chair, who has not seen the table, and one question she will surely ask.",
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_scene_is_told_in_full_and_none_twice() {
        let mut titles = HashSet::new();
        for scenario in Scenario::ALL {
            let scene = scene(scenario);
            assert!(titles.insert(scene.title), "{}", scene.title);
            assert_eq!(scene.title.to_lowercase().replace(' ', "-"), scenario.id());
            assert!(scene.messages.len() >= 2, "{}: context grows in every scene", scene.title);
            for text in [scene.system, scene.setting, scene.person].iter().chain(scene.messages) {
                assert!(!text.is_empty() && text.trim() == *text, "{text}");
            }
            let prompt = scene.prompt();
            assert_eq!(prompt.user, scene.messages[0]);
            assert_eq!(prompt.followups, scene.messages[1..]);
        }
    }

    #[test]
    fn the_code_that_is_to_be_reviewed_keeps_its_indentation() {
        assert!(CODE_REVIEW.messages[0].contains("\n    for s in samples:\n        if s[\"status\"]"));
    }
}
