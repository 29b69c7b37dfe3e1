//! How much a pool takes at once: so many requests in flight, so many waiting, the rest refused.
//!
//! Source: Envoy's circuit breakers (1,024 each).

/// The limits of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Breaker {
    pub in_flight_max: u32,
    pub waiting_max: u32,
}

/// What becomes of one more request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Now,
    /// Until a request ends, for a moment at most.
    Wait,
    /// Answered 503 at once.
    Refused,
}

impl Breaker {
    pub fn admit(&self, in_flight: u32, waiting: u32) -> Admission {
        // Who comes must not overtake who waits.
        if in_flight < self.in_flight_max && waiting == 0 {
            Admission::Now
        } else if waiting < self.waiting_max {
            Admission::Wait
        } else {
            Admission::Refused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_in_flight_then_waiting_then_refused() {
        let breaker = Breaker { in_flight_max: 2, waiting_max: 1 };
        assert_eq!(breaker.admit(1, 0), Admission::Now);
        assert_eq!(breaker.admit(2, 0), Admission::Wait);
        assert_eq!(breaker.admit(1, 1), Admission::Refused);
        assert_eq!(breaker.admit(2, 1), Admission::Refused);
    }
}
