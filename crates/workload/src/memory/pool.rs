//! What facts are about and what their values are made of. All of it is made up.

use schema::conversation::FactKind::{self, Code, Name, Number, Place};

/// Kind and subject. A sentence that tells one is `{subject} is {value}.`
pub(super) const SUBJECTS: &[(FactKind, &str)] = &[
    (Code, "the code of the bicycle shed"),
    (Code, "the booking reference of the ferry"),
    (Code, "the serial number of the grey printer"),
    (Code, "the password of the guest network"),
    (Code, "the label of the spare key"),
    (Code, "the order number of the curtains"),
    (Code, "the licence plate of the delivery van"),
    (Code, "the shelf mark of the old atlas"),
    (Code, "the tracking code of the parcel"),
    (Code, "the member code of the rowing club"),
    (Number, "the number of tiles on the terrace"),
    (Number, "the number of tickets sold for the spring fair"),
    (Number, "the number of bricks in the garden wall"),
    (Number, "the number of jars in the cellar"),
    (Number, "the number of steps up to the lighthouse"),
    (Number, "the number of words in the manuscript"),
    (Number, "the number of bees in the smaller hive"),
    (Number, "the number of screws in the yellow box"),
    (Number, "the number of letters in the wooden chest"),
    (Number, "the number of trees in the new plantation"),
    (Name, "the name of the new piano teacher"),
    (Name, "the name of the night guard"),
    (Name, "the name of the tenant upstairs"),
    (Name, "the name of the choir's conductor"),
    (Name, "the name of the boat's owner"),
    (Name, "the name of the chess champion"),
    (Name, "the name of the head nurse"),
    (Name, "the name of the carpenter"),
    (Name, "the name of the translator"),
    (Name, "the name of the beekeeper"),
    (Place, "the village where we meet"),
    (Place, "the town of the summer school"),
    (Place, "the harbour where the boat lies"),
    (Place, "the place of the wedding"),
    (Place, "the station where I change trains"),
    (Place, "the village with the water mill"),
    (Place, "the town that the museum moved to"),
    (Place, "the island with the holiday house"),
    (Place, "the valley of the cheese dairy"),
    (Place, "the place where the tent stands"),
];

pub(super) const OPENINGS: &[&str] = &[
    "Please remember this for later.",
    "There is something I want you to keep in mind.",
    "Keep this in mind, I will come back to it.",
    "Make a note of this, please.",
];

pub(super) const CLOSING: &str = "Just say that you have got it.";

pub(super) const HOW_TO_ANSWER: &str = "Answer with it alone, or say that you do not know.";

pub(super) const CHANGES: &[&str] =
    &["Now to something else.", "Here is another matter.", "Read this, please.", "Let us turn to this."];

pub(super) const TASKS: &[&str] = &[
    "What is the main trouble here? Answer in two sentences.",
    "Sum this up in two sentences.",
    "Which of these problems would you solve first, and why? Two sentences will do.",
    "Who should be asked about this? Answer in two sentences.",
];

/// Without those that look like digits.
pub(super) const LETTERS: &[&str] =
    &["A", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M", "N", "P", "R", "T", "U", "V", "W", "X", "Y"];

pub(super) const FIRST_NAMES: &[&str] = &[
    "Adela", "Bruno", "Celia", "Dario", "Edda", "Florin", "Greta", "Henrik", "Ilona", "Jonas", "Katja", "Levin",
    "Marit", "Nadia", "Oskar", "Petra", "Quirin", "Runa", "Silvan", "Tilda", "Ulrik", "Vera", "Wanda", "Yara", "Zeno",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Albrook",
    "Berendt",
    "Castell",
    "Dunmore",
    "Ekstrand",
    "Farrow",
    "Gerlach",
    "Hollis",
    "Ivarson",
    "Jansky",
    "Kessler",
    "Lindqvist",
    "Marlow",
    "Novotny",
    "Oakes",
    "Pellman",
    "Quist",
    "Rasmund",
    "Sorel",
    "Tarkin",
    "Ulver",
    "Vance",
    "Westrom",
    "Yarrow",
    "Zeller",
];

pub(super) const PLACE_HEADS: &[&str] = &[
    "Alder", "Bram", "Crest", "Dun", "Elm", "Fen", "Gras", "Hal", "Ister", "Kel", "Lark", "Mor", "Nether", "Ost",
    "Pell", "Rav", "Sel", "Thorn", "Ulm", "Vel", "Wick", "Yar", "Zand",
];

pub(super) const PLACE_TAILS: &[&str] = &[
    "bridge", "burn", "by", "combe", "dale", "ferth", "field", "gate", "ham", "holt", "hurst", "mere", "mouth", "ness",
    "rick", "sted", "stoke", "thwaite", "ton", "vik", "wald", "well", "worth",
];
