//! Makes inputs without a fuzzer, by changing seeds at random.

/// Random changes of seeds. The same seeds and number give the same inputs.
#[derive(Debug)]
pub struct Mutations {
    seeds: Vec<Vec<u8>>,
    random: u64,
}

/// The most important bytes of the formats: reserved tags, markers of long numbers, and powers of two.
const BYTES: [u8; 12] = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xfa, 0xfb, 0xfc, 0xfd, 0xff];

impl Mutations {
    /// Creates the inputs that follow from `seeds` and `number`.
    #[must_use]
    pub fn new(seeds: Vec<Vec<u8>>, number: u64) -> Self {
        Self { seeds, random: number | 1 }
    }

    /// Returns a number below `below`, which is at least 1.
    fn below(&mut self, below: usize) -> usize {
        // xorshift64*
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
    }

    fn seed(&mut self) -> Vec<u8> {
        let at = self.below(self.seeds.len().max(1));
        self.seeds.get(at).cloned().unwrap_or_default()
    }

    /// Changes `input` in one place.
    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.below(6) {
            0 => input.truncate(at),
            1 => {
                let byte = self.below(256) as u8;
                input.insert(at, byte);
            }
            2 => {
                let to = at + self.below(input.len() - at + 1);
                input.drain(at..to);
            }
            3 => {
                let other = self.seed();
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend(other.into_iter().skip(from));
            }
            kind => {
                let byte = match kind {
                    4 => BYTES.get(self.below(BYTES.len())).copied().unwrap_or_default(),
                    _ => self.below(256) as u8,
                };
                if let Some(place) = input.get_mut(at) {
                    *place = byte;
                }
            }
        }
    }
}

impl Iterator for Mutations {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.seed();
        for _ in 0..self.below(5) {
            self.mutate(&mut input);
        }
        Some(input)
    }
}
