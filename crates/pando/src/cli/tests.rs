use std::ffi::OsString;

use console::strip_ansi_codes;
use expect_test::{Expect, expect};
use pando_runtime::config::{Sources, render_toml};

use super::Cli;
use crate::config::Config;

fn read(line: &str) -> Result<Cli, clap::Error> {
    let words = line.split(' ').filter(|word| !word.is_empty());
    Cli::read(std::iter::once("pando").chain(words).map(OsString::from))
}

/// The settings that a command line changes, or its error.
#[track_caller]
fn check(line: &str, expect: Expect) {
    let outcome = match read(line) {
        Ok(cli) => {
            let mut sources = Sources::empty()
                .with_env("SECRET", "0123456789abcdef0123456789abcdef")
                .with_env("PANDO_WEB__TLS_CERT", "a.crt")
                .with_env("PANDO_WEB__TLS_KEY", "a.key");
            cli.add_flags(&mut sources);
            match Config::read(&sources) {
                Ok(config) => changed(&config),
                Err(problems) => format!("{problems}\n"),
            }
        }
        Err(error) => strip_ansi_codes(&error.render().to_string()).into_owned(),
    };
    expect.assert_eq(&outcome);
}

fn changed(config: &Config) -> String {
    let shown = render_toml(&config.tables(), Some(&config.origins));
    let defaults = render_toml(&Config::default().tables(), None);
    let given = shown.lines().filter(|line| {
        let setting = line.split(" #").next().unwrap_or_default().trim_end();
        (line.contains("# flag") || !defaults.lines().any(|default| default == setting))
            && !line.contains("# environment")
    });
    given.map(|line| format!("{line}\n")).collect()
}

#[test]
fn serve_takes_pocketbases_flags() {
    check(
        "serve --http 0.0.0.0:80 --dir pb_data --publicDir web --indexFallback=false --queryTimeout 5 \
         --origins https://a.b,https://c.d --origins e",
        expect![[r#"
            http = "0.0.0.0:80"                          # flag --http
            origins = ["https://a.b", "https://c.d", "e"] # flag --origins
            public_dir = "web"                           # flag --publicDir
            index_fallback = false                       # flag --indexFallback
            dir = "pb_data"                              # flag --dir
            query_timeout = "5s"                         # flag --queryTimeout
        "#]],
    );
    check(
        "serve --encryptionEnv=SECRET --http=127.0.0.1:0",
        expect![[r#"
            http = "127.0.0.1:0"                         # flag --http
            encryption_env = "SECRET"                    # flag --encryptionEnv
        "#]],
    );
}

#[test]
fn flags_may_come_before_the_command() {
    check(
        "--dir pb_data --http 0.0.0.0:81 --queryTimeout=7 serve",
        expect![[r#"
        http = "0.0.0.0:81"                          # flag --http
        dir = "pb_data"                              # flag --dir
        query_timeout = "7s"                         # flag --queryTimeout
    "#]],
    );
    check(
        "--http 0.0.0.0:81 serve --http 0.0.0.0:82",
        expect![[r#"
        http = "0.0.0.0:82"                          # flag --http
    "#]],
    );
    check(
        "superuser upsert a@b.co 1234567890 --dir pb_data",
        expect![[r#"
        dir = "pb_data"                              # flag --dir
    "#]],
    );
    check(
        "superuser --dir pb_data upsert a@b.co 1234567890",
        expect![[r#"
        dir = "pb_data"                              # flag --dir
    "#]],
    );
}

#[test]
fn domains_open_the_usual_ports() {
    check(
        "serve example.com www.example.org",
        expect![[r#"
        http = "0.0.0.0:80"                          # default
        https = "0.0.0.0:443"                        # default
        domains = ["example.com", "www.example.org"] # flag serve DOMAIN
    "#]],
    );
    check(
        "serve example.com --http 127.0.0.1:8080",
        expect![[r#"
        http = "127.0.0.1:8080"                      # flag --http
        https = "0.0.0.0:443"                        # default
        domains = ["example.com"]                    # flag serve DOMAIN
    "#]],
    );
}

#[test]
fn booleans_are_spelled_as_in_go() {
    check(
        "serve --indexFallback --dev",
        expect![[r#"
        index_fallback = true                        # flag --indexFallback
        format = "pretty"                            # flag --dev
        level = "debug"                              # flag --dev
        access = true                                # flag --dev
    "#]],
    );
    check(
        "serve --indexFallback=0 --dev=F",
        expect![[r#"
        index_fallback = false                       # flag --indexFallback
    "#]],
    );
    check(
        "serve --indexFallback=maybe",
        expect![[r#"
        error: invalid value 'maybe' for '--indexFallback[=<BOOL>]': must be true or false

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn an_empty_address_is_the_default() {
    check("serve --http= --https=", expect![[""]]);
}

#[test]
fn mistakes_are_named() {
    check(
        "serve --bogus",
        expect![[r#"
        error: unexpected argument '--bogus' found

          tip: to pass '--bogus' as a value, use '-- --bogus'

        Usage: pando serve [OPTIONS] [DOMAINS]...

        For more information, try '--help'.
    "#]],
    );
    check(
        "bogus",
        expect![[r#"
        error: unrecognized subcommand 'bogus'

        Usage: pando [OPTIONS] <COMMAND>

        For more information, try '--help'.
    "#]],
    );
    check(
        "serve --queryTimeout soon",
        expect![[r#"
        error: invalid value 'soon' for '--queryTimeout <SECONDS>': invalid digit found in string

        For more information, try '--help'.
    "#]],
    );
    check(
        "serve --hooksDir pb_hooks",
        expect![[r#"
        error: JavaScript hooks and migrations (--hooksDir, --migrationsDir) exist in PocketBase only
        hint: leave the flag out; Pando's own tables are migrated by themselves
    "#]],
    );
    check(
        "superuser create a@b.co 1234567890 --http 0.0.0.0:80",
        expect![[r#"
        error: unexpected argument '--http' found

          tip: to pass '--http' as a value, use '-- --http'

        Usage: pando superuser create EMAIL PASSWORD

        For more information, try '--help'.
    "#]],
    );
    check(
        "serve --http nowhere --dir=",
        expect![[r#"
        2 problems in the configuration
          web.http must be HOST:PORT, not "nowhere" (flag --http)
            hint: for example "127.0.0.1:8090"; "0.0.0.0:8090" for all interfaces
          store.dir must not be empty (flag --dir)
    "#]],
    );
}

#[test]
fn pocketbases_flags_without_effect_are_accepted() {
    check("serve --automigrate=false --hooksWatch --hooksPool 5", expect![[""]]);
}

#[test]
fn the_bare_program_explains_itself() {
    let help = read("").unwrap_err();
    assert!(!help.use_stderr(), "asking for help is no error");
    expect![[r#"
        A complete application backend in one program

        Usage: pando [OPTIONS] <COMMAND>

        Commands:
          serve      Starts the web server (default to 127.0.0.1:8090 if no domain is specified)
          balancer   Starts the load balancer, in front of several web servers
          superuser  Manage superusers
          move       Moves a part of the application to where it can grow
          lab        Starts any rung on this machine, loads it, and breaks it on purpose
          config     Checks or shows the configuration
          version    Prints the version

        Options:
          -h, --help  Print help (see more with '--help')

        Global options:
              --config <FILE>           The configuration file [default: pando.toml if it exists]
              --dir <DIR>               The data directory [default: pando_data], or the folder of a lab [default: pando_lab]
              --publicDir <DIR>         The directory to serve static files [default: pando_public]
              --indexFallback[=<BOOL>]  Fallback the request to index.html on missing static path, e.g. when pretty urls are used with SPA [default: true]
              --encryptionEnv <NAME>    The env variable whose value of 32 characters will be used as encryption key for the app settings
              --queryTimeout <SECONDS>  The default SELECT queries timeout in seconds [default: 30]
              --dev[=<BOOL>]            Enable dev mode: detailed, readable log lines, one for each request too
          -v, --version                 Prints the version

        First steps:
          pando superuser upsert me@example.com a-good-password
          pando serve                        # API at http://127.0.0.1:8090/api/

        More:
          pando serve --http 0.0.0.0:80      # reachable from other machines
          pando serve --dir pb_data          # opens PocketBase's data directory in place
          pando config show --origin         # every setting, and where it comes from

        Settings come from defaults < pando.toml < environment (PANDO_WEB__HTTP=…) < flags.
    "#]].assert_eq(&strip_ansi_codes(&help.render().to_string()));
}

#[test]
fn help_of_a_command_teaches() {
    let help = read("serve --help").unwrap_err();
    expect![[r#"
        Starts the web server (default to 127.0.0.1:8090 if no domain is specified)

        Usage: pando serve [OPTIONS] [DOMAINS]...

        Arguments:
          [DOMAINS]...  The host names of the server; with them it listens on ports 80 and 443

        Options:
              --http <ADDRESS>     TCP address to listen for the HTTP server (if domain args are specified - default to 0.0.0.0:80, otherwise - default to 127.0.0.1:8090)
              --https <ADDRESS>    TCP address to listen for the HTTPS server (if domain args are specified - default to 0.0.0.0:443, otherwise - no HTTPS). The incoming HTTP traffic is then redirected to HTTPS
              --origins <ORIGINS>  CORS allowed domain origins list [default: *]
          -h, --help               Print help

        Global options:
              --config <FILE>           The configuration file [default: pando.toml if it exists]
              --dir <DIR>               The data directory [default: pando_data], or the folder of a lab [default: pando_lab]
              --publicDir <DIR>         The directory to serve static files [default: pando_public]
              --indexFallback[=<BOOL>]  Fallback the request to index.html on missing static path, e.g. when pretty urls are used with SPA [default: true]
              --encryptionEnv <NAME>    The env variable whose value of 32 characters will be used as encryption key for the app settings
              --queryTimeout <SECONDS>  The default SELECT queries timeout in seconds [default: 30]
              --dev[=<BOOL>]            Enable dev mode: detailed, readable log lines, one for each request too
          -v, --version                 Prints the version

        Examples:
          pando serve
          pando serve --http 0.0.0.0:8090 --dir /var/lib/pando
          pando serve --https 0.0.0.0:443 --config pando.toml   # with web.tls_cert and web.tls_key
          pando serve --origins https://app.example.com,https://admin.example.com

        The static site in ./pando_public, if there is one, is served at /. SIGTERM stops the server once
        the requests that run are answered.
    "#]].assert_eq(&strip_ansi_codes(&help.render().to_string()));
    let help = read("superuser upsert -h").unwrap_err().to_string();
    assert!(help.contains("pando superuser upsert test@example.com 1234567890"), "{help}");
}

#[test]
fn the_version_names_pocketbases() {
    for line in ["--version", "-v", "serve --version"] {
        let version = read(line).unwrap_err();
        assert!(!version.use_stderr());
        let version = version.to_string();
        assert!(
            version.ends_with(concat!(env!("CARGO_PKG_VERSION"), " (API of PocketBase 0.40.6)\n")),
            "{version}"
        );
    }
}

#[test]
fn a_lab_is_told_what_to_do() {
    let refusal = |line: &str| match read(line) {
        Ok(_) => "ok\n".to_owned(),
        Err(error) => strip_ansi_codes(&error.render().to_string()).into_owned(),
    };
    let lines = [
        refusal("lab up --rung 3 --web 5 --nats --isolate --fresh --no-sync"),
        refusal("lab load --for 2min --clients 64 --rate 500 --mix view=1,create=1 --pinned"),
        refusal("lab cut web-1 --from db-1"),
        refusal("lab heal"),
        refusal("lab load --for soon"),
        refusal("lab load --mix sing=1"),
        refusal("lab up --rung 12"),
    ];
    expect![[r#"
        ok
        ok
        ok
        ok
        error: invalid value 'soon' for '--for <TIME>': must be a duration, such as "30s" or "5min"

        For more information, try '--help'.
        error: invalid value 'sing=1' for '--mix <MIX>': no work is called "sing"
        hint: one of view, list, create, update, delete, increment, login

        For more information, try '--help'.
        error: invalid value '12' for '--rung <RUNG>': 12 is not in 1..=3

        For more information, try '--help'.
    "#]]
    .assert_eq(&lines.concat());
}
