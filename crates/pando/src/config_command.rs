//! `pando config`: check, show, and the source of the reference page.

use pando_runtime::config::{FILE_NAME, render_reference, render_toml};

use crate::{
    cli::{Cli, ConfigAction},
    config::Config,
    output,
};

const REFERENCE_HEAD: &str = "\
# Configuration

Settings come from, later ones winning: defaults, the file `pando.toml` (`--config FILE` or
`PANDO_CONFIG` name another), the environment (`PANDO_TABLE__KEY`), flags. `pando config check`
tells all that is wrong, `pando config show --origin` where each value comes from.

In the environment a list is parted by commas. Sizes have the units B, KiB, MiB, GiB, TiB (powers
of 1024) and KB, MB, GB, TB (of 1000); durations ms, s, min, h, d. A change needs a restart where
the key does not say otherwise.

<!-- Made by `pando config reference` from the doc comments in the code; do not edit. -->
";

pub(crate) fn run(cli: &Cli, action: &ConfigAction) -> anyhow::Result<()> {
    if let ConfigAction::Reference = action {
        return Ok(output::print(&reference())?);
    }
    let sources = cli.sources();
    let config = Config::read(&sources)?;
    let text = match action {
        ConfigAction::Check => match sources.file() {
            Some(file) => format!("The configuration is valid; file: {}.\n", file.display()),
            None => format!("The configuration is valid; there is no {FILE_NAME} here.\n"),
        },
        ConfigAction::Show { origin } => {
            render_toml(&config.tables(), origin.then_some(&config.origins))
        }
        ConfigAction::Reference => reference(),
    };
    Ok(output::print(&text)?)
}

/// `docs/reference/config.md`.
fn reference() -> String {
    format!("{REFERENCE_HEAD}{}", render_reference(&Config::default().tables()))
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    #[test]
    fn the_reference_page_is_up_to_date() {
        // UPDATE_EXPECT=1 writes it anew.
        expect_file!["../../../docs/reference/config.md"].assert_eq(&super::reference());
    }
}
