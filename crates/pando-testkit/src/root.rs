//! A client that acts as superuser and accepts nothing but success.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::http::{HttpClient, Request};
use crate::server::Server;

/// A logged-in superuser.
#[derive(Debug)]
pub struct RootClient {
    client: HttpClient,
    token: String,
}

impl RootClient {
    pub fn login(server: &Server, email: &str, password: &str) -> Result<Self> {
        let mut client = server.client();
        let body = json!({ "identity": email, "password": password });
        let path = "/api/collections/_superusers/auth-with-password";
        let answer = client.send(&Request::post(path).json(&body))?.success()?.json()?;
        let token = answer["token"].as_str().context("login without token")?.to_owned();
        Ok(Self { client, token })
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request and gives its JSON answer (null if the answer is empty).
    pub fn json(&mut self, request: Request) -> Result<Value> {
        let title = format!("{} {}", request.method, request.target);
        let answer = self.client.send(&request.token(&self.token))?.success();
        let answer = answer.with_context(|| format!("{title} failed"))?;
        if answer.body.is_empty() { Ok(Value::Null) } else { answer.json() }
    }
}
