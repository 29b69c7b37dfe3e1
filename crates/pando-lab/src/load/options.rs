//! What a load is made of.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pando_history::Rules;

/// A load; see the fields.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Where clients connect.
    pub servers: Vec<SocketAddr>,
    /// Address and password of a superuser.
    pub superuser: (String, String),
    /// How many clients send requests, each one after the other.
    pub clients: usize,
    /// How many clients listen to realtime events.
    pub subscribers: usize,
    /// Requests per second of all clients together; `None`: as fast as they are answered.
    pub rate: Option<f64>,
    pub mix: Mix,
    pub routing: Routing,
    /// A read that finds nobody to connect to is tried at the next server.
    pub failover: bool,
    /// A subscription is set through any server and not through the one that has the stream.
    pub roaming: bool,
    /// How long a client waits for an answer.
    pub deadline: Duration,
    /// What the system promises.
    pub rules: Rules,
    pub seed: u64,
}

/// Which server gets a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// Any, drawn anew for each request.
    Random,
    /// Always the same for one client.
    Pinned,
}

/// How often clients do what: weights, of which only the proportions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    pub view: u32,
    pub list: u32,
    pub create: u32,
    pub update: u32,
    pub delete: u32,
    pub increment: u32,
    pub login: u32,
}

impl LoadOptions {
    /// The usual load of those servers.
    pub fn new(servers: Vec<SocketAddr>, email: &str, password: &str) -> LoadOptions {
        LoadOptions {
            servers,
            superuser: (email.to_owned(), password.to_owned()),
            clients: 16,
            subscribers: 4,
            rate: None,
            mix: Mix::default(),
            routing: Routing::Random,
            failover: true,
            roaming: false,
            deadline: Duration::from_secs(10),
            rules: Rules { linearizable: true, every_event: true },
            seed: 1,
        }
    }
}

impl Default for Mix {
    fn default() -> Mix {
        Mix { view: 50, list: 8, create: 10, update: 20, delete: 6, increment: 5, login: 1 }
    }
}

impl Mix {
    /// Names and weights, in the order of the fields.
    pub fn parts(&self) -> [(&'static str, u32); 7] {
        let Mix { view, list, create, update, delete, increment, login } = *self;
        [
            ("view", view),
            ("list", list),
            ("create", create),
            ("update", update),
            ("delete", delete),
            ("increment", increment),
            ("login", login),
        ]
    }

    /// Reads `view=50,create=10`; what is not named is left out.
    pub fn parse(text: &str) -> Result<Mix> {
        let none =
            Mix { view: 0, list: 0, create: 0, update: 0, delete: 0, increment: 0, login: 0 };
        let mut mix = none;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, weight) =
                part.split_once('=').context("a mix is NAME=WEIGHT,NAME=WEIGHT")?;
            let weight =
                weight.trim().parse().with_context(|| format!("bad weight in {part:?}"))?;
            let place = match name.trim() {
                "view" => &mut mix.view,
                "list" => &mut mix.list,
                "create" => &mut mix.create,
                "update" => &mut mix.update,
                "delete" => &mut mix.delete,
                "increment" => &mut mix.increment,
                "login" => &mut mix.login,
                other => {
                    let names = none.parts().map(|(name, _)| name).join(", ");
                    anyhow::bail!("no work is called {other:?}\nhint: one of {names}")
                }
            };
            *place = weight;
        }
        let total: u64 = mix.parts().iter().map(|(_, weight)| u64::from(*weight)).sum();
        ensure!(total > 0, "a mix needs at least one weight above 0");
        Ok(mix)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::Mix;

    #[test]
    fn a_mix_is_read_as_it_is_written() {
        let read = |text| match Mix::parse(text) {
            Ok(mix) => format!("{:?}", mix.parts().map(|(_, weight)| weight)),
            Err(error) => format!("{error:#}"),
        };
        let lines = [read("view=9, create=1"), read("view=0"), read("dance=1"), read("view")];
        expect![[r#"
            [9, 0, 1, 0, 0, 0, 0]
            a mix needs at least one weight above 0
            no work is called "dance"
            hint: one of view, list, create, update, delete, increment, login
            a mix is NAME=WEIGHT,NAME=WEIGHT"#]]
        .assert_eq(&lines.join("\n"));
    }
}
