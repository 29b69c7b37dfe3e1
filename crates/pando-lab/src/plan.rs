//! Which nodes a rung has, and which of them must be there before which. Decides and does nothing.

use std::fmt;

use crate::node::Kind;

/// A step of the ladder that the lab can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// One server with everything in it.
    One,
    /// The database on a server of its own.
    Two,
    /// A load balancer, and several web servers on one database.
    Three,
}

impl Rung {
    pub const ALL: [Rung; 3] = [Rung::One, Rung::Two, Rung::Three];

    /// The rung of that number.
    pub fn of_number(number: u32) -> Option<Rung> {
        Rung::ALL.into_iter().find(|rung| rung.number() == number)
    }

    pub fn number(self) -> u32 {
        match self {
            Rung::One => 1,
            Rung::Two => 2,
            Rung::Three => 3,
        }
    }

    /// What it is, in a line.
    pub fn title(self) -> &'static str {
        match self {
            Rung::One => "one server, records in SQLite",
            Rung::Two => "one web server, records in PostgreSQL",
            Rung::Three => "a load balancer, several web servers on one PostgreSQL",
        }
    }

    /// The nodes, each after those that it needs.
    ///
    /// A rung is put together here and nowhere else: balancers come after the web servers that they
    /// link to, replicas after what they follow.
    pub(crate) fn nodes(
        self,
        web_count: Option<u32>,
        nats: bool,
        balancer_count: Option<u32>,
    ) -> Vec<Planned> {
        let (databases, usual_web_count, usual_balancer_count) = match self {
            Rung::One => (0, 1, 0),
            Rung::Two => (1, 1, 0),
            Rung::Three => (1, 3, 1),
        };
        let mut nodes: Vec<Planned> =
            (1..=databases).map(|number| Planned::new(Kind::Postgres, number)).collect();
        nodes.extend(nats.then(|| Planned::new(Kind::Nats, 1)));
        let web_count = web_count.unwrap_or(usual_web_count);
        nodes.extend((1..=web_count).map(|number| Planned::new(Kind::Web, number)));
        let balancer_count = balancer_count.unwrap_or(usual_balancer_count);
        nodes.extend((1..=balancer_count).map(|number| Planned::new(Kind::Balancer, number)));
        nodes
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rung {}", self.number())
    }
}

/// A node before it has a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) kind: Kind,
    pub(crate) number: u32,
}

impl Planned {
    pub(crate) fn new(kind: Kind, number: u32) -> Planned {
        Planned { kind, number }
    }

    /// As people call it: `web-2`.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.kind.prefix(), self.number)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::Rung;

    #[test]
    fn each_rung_has_what_it_is_made_of() {
        let mut lines = Vec::new();
        for rung in Rung::ALL {
            for (webs, nats, balancers) in [(None, false, None), (Some(2), true, Some(0))] {
                let nodes = rung.nodes(webs, nats, balancers);
                let names: Vec<String> = nodes.iter().map(super::Planned::name).collect();
                lines.push(format!("{rung}, {webs:?}, {nats}: {}", names.join(" ")));
            }
        }
        expect![[r#"
            rung 1, None, false: web-1
            rung 1, Some(2), true: bus-1 web-1 web-2
            rung 2, None, false: db-1 web-1
            rung 2, Some(2), true: db-1 bus-1 web-1 web-2
            rung 3, None, false: db-1 web-1 web-2 web-3 balancer-1
            rung 3, Some(2), true: db-1 bus-1 web-1 web-2"#]]
        .assert_eq(&lines.join("\n"));
    }
}
