//! What is required of a number, and whether it is met.

/// A number that is to be within a bound. It misses it, too, if it was not measured.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// What the number is, with its unit.
    pub what: String,
    /// NaN if it was not measured.
    pub number: f64,
    /// What is required.
    pub bound: Bound,
}

/// What is required of a number.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// This much or more.
    AtLeast(f64),
    /// More than this.
    Above(f64),
    /// This much or less.
    AtMost(f64),
    /// Less than this.
    Below(f64),
}

impl Requirement {
    /// Whether it is met.
    #[must_use]
    pub fn met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.number >= bound,
            Bound::Above(bound) => self.number > bound,
            Bound::AtMost(bound) => self.number <= bound,
            Bound::Below(bound) => self.number < bound,
        }
    }

    /// Whether it is met, in one word.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        if self.met() { "met" } else { "MISSED" }
    }

    /// What is required, in words.
    #[must_use]
    pub fn bound(&self) -> String {
        match self.bound {
            Bound::AtLeast(bound) => format!("at least {bound}"),
            Bound::Above(bound) => format!("above {bound}"),
            Bound::AtMost(bound) => format!("at most {bound}"),
            Bound::Below(bound) => format!("below {bound}"),
        }
    }

    /// Prints it as a line, and returns whether it is met.
    #[must_use]
    pub fn print(&self) -> bool {
        println!("{:66} {:7.2}, {}: {}", self.what, self.number, self.bound(), self.verdict());
        self.met()
    }
}
