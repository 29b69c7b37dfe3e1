//! Round robin by weights: each upstream in its turn, spread as evenly as it goes.
//!
//! Source: nginx's smooth weighted round robin (`ngx_http_upstream_round_robin.c`).

/// Whose turn it is. Kept for one list of upstreams; a new list starts anew.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    credits: Vec<f64>,
}

impl Turns {
    /// For `count` upstreams. `start` is any number: balancers that begin at different places do
    /// not all ask the same upstream first.
    pub fn new(count: usize, start: usize) -> Turns {
        let mut credits = vec![0.0; count];
        if count > 0 {
            credits[start % count] = f64::EPSILON;
        }
        Turns { credits }
    }

    /// The number of upstreams it was made for.
    pub fn count(&self) -> usize {
        self.credits.len()
    }

    /// The next one. `weight` answers `None` for those that must not be taken.
    pub fn next(&mut self, weight: impl Fn(usize) -> Option<f64>) -> Option<usize> {
        let mut sum = 0.0;
        let mut best: Option<usize> = None;
        for index in 0..self.credits.len() {
            let Some(weight) = weight(index) else { continue };
            sum += weight;
            self.credits[index] += weight;
            if best.is_none_or(|best| self.credits[index] > self.credits[best]) {
                best = Some(index);
            }
        }
        let best = best?;
        self.credits[best] -= sum;
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;

    fn taken(turns: &mut Turns, count: usize, weights: &[Option<f64>]) -> Vec<usize> {
        (0..count).map(|_| turns.next(|index| weights[index]).unwrap()).collect()
    }

    #[test]
    fn everybody_in_turn() {
        let mut turns = Turns::new(3, 1);
        assert_eq!(taken(&mut turns, 6, &[Some(1.0); 3]), [1, 0, 2, 1, 0, 2]);
    }

    #[test]
    fn heavy_ones_more_often_and_not_in_a_row() {
        let mut turns = Turns::new(3, 0);
        let weights = [Some(5.0), Some(1.0), Some(1.0)];
        assert_eq!(taken(&mut turns, 7, &weights), [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn some_are_passed_over() {
        let mut turns = Turns::new(3, 0);
        assert_eq!(taken(&mut turns, 4, &[Some(1.0), None, Some(1.0)]), [0, 2, 0, 2]);
        assert_eq!(turns.next(|_| None), None);
        assert_eq!(Turns::new(0, 4).next(|_| Some(1.0)), None);
    }
}
