//! A number and its required bound.

/// A number that must stay within a bound. A number that was not measured misses it.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// The name of the number, with its unit.
    pub what: String,
    /// NaN if it was not measured.
    pub number: f64,
    /// The required bound.
    pub bound: Bound,
}

/// A bound on a number.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// This much or more.
    AtLeast(f64),
    /// This much or less.
    AtMost(f64),
}

impl Requirement {
    /// Returns whether the number is within its bound.
    #[must_use]
    pub fn met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.number >= bound,
            Bound::AtMost(bound) => self.number <= bound,
        }
    }

    /// Returns whether the requirement is met, in one word.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        if self.met() { "met" } else { "MISSED" }
    }

    /// Returns the bound in words.
    #[must_use]
    pub fn bound(&self) -> String {
        match self.bound {
            Bound::AtLeast(bound) => format!("at least {bound}"),
            Bound::AtMost(bound) => format!("at most {bound}"),
        }
    }

    /// Prints the requirement as a line, and returns whether it is met.
    #[must_use]
    pub fn print(&self) -> bool {
        println!("{:66} {:7.2}, {}: {}", self.what, self.number, self.bound(), self.verdict());
        self.met()
    }
}
