//! Which rule a request falls under.

use pando_schema::RateLimitRule;

/// A name by which a rule may mean a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Label<'a> {
    /// `users:create`, `*:create`
    Action { owner: &'a str, action: &'a str },
    /// `POST /api/batch`
    Route { method: &'a str, path: &'a str },
    /// `/api/batch`
    Path(&'a str),
}

impl Label<'_> {
    fn is(self, text: &str) -> bool {
        match self {
            Label::Action { owner, action } => {
                text.strip_prefix(owner).and_then(|rest| rest.strip_prefix(':')) == Some(action)
            }
            Label::Route { method, path } => of_method(text, method) == Some(path),
            Label::Path(path) => text == path,
        }
    }

    /// Whether `folder`, which ends in a slash, holds what this names, or is that.
    fn under(self, folder: &str) -> bool {
        let (path, folder) = match self {
            Label::Action { .. } => return false,
            Label::Route { method, path } => (path, of_method(folder, method)),
            Label::Path(path) => (path, Some(folder)),
        };
        folder.is_some_and(|folder| {
            path.starts_with(folder) || folder.strip_suffix('/') == Some(path)
        })
    }
}

/// What follows `METHOD ` in `text`.
fn of_method<'a>(text: &'a str, method: &str) -> Option<&'a str> {
    text.strip_prefix(method).and_then(|rest| rest.strip_prefix(' '))
}

/// The first rule that means one of `labels`, tried in their order, and `audience`. For one
/// label, a rule with that very name comes before one for a folder.
pub(super) fn find_rule<'a>(
    rules: &'a [RateLimitRule],
    labels: &[Label<'_>],
    audience: &str,
) -> Option<&'a RateLimitRule> {
    let meant = || {
        let for_audience =
            move |rule: &&RateLimitRule| rule.audience.is_empty() || rule.audience == audience;
        rules.iter().filter(for_audience)
    };
    labels.iter().find_map(|label| {
        let folder = |rule: &&RateLimitRule| rule.label.ends_with('/') && label.under(&rule.label);
        meant().find(|rule| label.is(&rule.label)).or_else(|| meant().find(folder))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(labels: &[(&str, &str)]) -> Vec<RateLimitRule> {
        let rule = |&(label, audience): &(&str, &str)| RateLimitRule {
            label: label.to_owned(),
            audience: audience.to_owned(),
            duration: 1,
            max_requests: 1,
        };
        labels.iter().map(rule).collect()
    }

    #[track_caller]
    fn check(
        known: &[(&str, &str)],
        labels: &[Label<'_>],
        audience: &str,
        expected: Option<usize>,
    ) {
        let rules = rules(known);
        let found = find_rule(&rules, labels, audience);
        let index = found.map(|found| rules.iter().position(|rule| std::ptr::eq(rule, found)));
        assert_eq!(index.flatten(), expected);
    }

    const CREATE: [Label<'static>; 4] = [
        Label::Action { owner: "users", action: "create" },
        Label::Action { owner: "*", action: "create" },
        Label::Route { method: "POST", path: "/api/x" },
        Label::Path("/api/x"),
    ];

    #[test]
    fn the_most_telling_label_wins() {
        let all = [("/api/", ""), ("POST /api/", ""), ("*:create", ""), ("users:create", "")];
        check(&all, &CREATE, "@guest", Some(3));
        check(&all[..3], &CREATE, "@guest", Some(2));
        check(&all[..2], &CREATE, "@guest", Some(1));
        check(&all[..1], &CREATE, "@guest", Some(0));
        check(&[("GET /api/", ""), ("/apix/", ""), ("/api", "")], &CREATE, "@guest", None);
    }

    #[test]
    fn a_path_itself_comes_before_its_folder() {
        let label = [Label::Path("/api/batch")];
        check(&[("/api/", ""), ("/api/batch", "")], &label, "@guest", Some(1));
        check(&[("/api/batch/", "")], &label, "@guest", Some(0));
        check(&[("/", "")], &label, "@guest", Some(0));
    }

    #[test]
    fn rules_for_another_audience_are_skipped() {
        let known = [("users:create", "@auth"), ("*:create", "@guest"), ("/", "")];
        check(&known, &CREATE, "@guest", Some(1));
        check(&known, &CREATE, "@auth", Some(0));
        check(&known[1..], &CREATE, "@auth", Some(1));
    }
}
