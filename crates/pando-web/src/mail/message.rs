//! A mail as it goes over the wire: headers, the HTML and the same as plain text.
//!
//! Source: RFC 5322, RFC 2046; PocketBase `tools/mailer/smtp.go`.

use lettre::message::{Mailbox, Message, MultiPart};
use pando_schema::{Meta, random_text};

use super::plain_text::plain_text;
use super::{Mail, MailError};

/// Characters before the `@` of a message id.
const MESSAGE_ID_CHARS: usize = 15;

/// What is around the text of every mail.
const HEAD: &str = r#"<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { margin: 0; padding: 20px 30px; background: #fff; color: #16161a; font: 14px/20px sans-serif; }
p { margin: 10px 0; }
small { font-size: 12px; line-height: 16px; }
hr { margin: 10px 0; border: 0; border-top: 1px solid #e1e6ea; }
a { color: inherit; }
.hidden { display: none !important; }
.btn { display: inline-block; min-width: 110px; margin: 5px 0; padding: 0 20px; border-radius: 6px;
  background: #16161a !important; color: #fff !important; font-weight: bold; line-height: 40px;
  text-align: center; text-decoration: none !important; }
</style>
</head>
<body>
"#;
const FOOT: &str = "\n</body>\n</html>\n";

/// Fails if an address is none.
pub(super) fn compose(sender: &Meta, mail: &Mail) -> Result<Message, MailError> {
    let address: lettre::Address = sender.sender_address.parse()?;
    let id = random_text(&mut rand::rng(), MESSAGE_ID_CHARS);
    let id = format!("<{id}@{}>", address.domain());
    let name = Some(one_line(&sender.sender_name)).filter(|name| !name.is_empty());
    let body = MultiPart::alternative_plain_html(
        plain_text(&mail.html),
        format!("{HEAD}{}{FOOT}", mail.html),
    );
    let message = Message::builder()
        .from(Mailbox::new(name, address))
        .to(Mailbox::new(None, mail.to.parse()?))
        .subject(one_line(&mail.subject))
        .message_id(Some(id))
        .multipart(body)?;
    Ok(message)
}

/// Line ends and other control characters would end a header; values of records may have some.
fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn sender() -> Meta {
        Meta {
            sender_name: "Sénder, \"X\"".to_owned(),
            sender_address: "from@example.com".to_owned(),
            ..Meta::default()
        }
    }

    fn mail(to: &str, subject: &str) -> Mail {
        Mail {
            to: to.to_owned(), subject: subject.to_owned(), html: "<p>Hi,<br/>é</p>".to_owned()
        }
    }

    #[test]
    fn headers_are_encoded_and_cannot_be_forged() {
        let message = compose(&sender(), &mail("to@example.com", "Hi é\r\nBcc: evil@x.co"));
        let text = String::from_utf8(message.unwrap().formatted()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let fixed = |line: &&str| {
            let volatile = ["Date: ", "Message-ID: <", "Content-Type: ", " boundary="];
            !volatile.iter().any(|start| line.starts_with(start))
        };
        let shown: Vec<&str> = head.lines().filter(fixed).collect();
        expect![[r#"
            From: =?utf-8?b?U8OpbmRlciwgIlgi?= <from@example.com>
            To: to@example.com
            Subject: Hi =?utf-8?b?w6k=?=  Bcc: evil@x.co
            MIME-Version: 1.0"#]]
        .assert_eq(&shown.join("\n"));
        assert!(head.contains("\r\nMessage-ID: <") && head.contains("@example.com>\r\n"));
        assert!(head.contains("\r\nDate: "));
        let types = body.lines().filter(|line| line.starts_with("Content-T"));
        expect![[r#"
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: base64
            Content-Type: text/html; charset=utf-8
            Content-Transfer-Encoding: quoted-printable"#]]
        .assert_eq(&types.collect::<Vec<_>>().join("\n"));
        assert!(body.contains("<p>Hi,<br/>=C3=A9</p>"));
    }

    #[test]
    fn addresses_with_more_than_an_address_are_refused() {
        for to in ["", "nobody", "a@b.co\r\nBcc: c@d.co", "a@b.co, c@d.co", "\"\r\n x\"@b.co"] {
            assert!(compose(&sender(), &mail(to, "Hi")).is_err(), "{to:?}");
        }
    }
}
