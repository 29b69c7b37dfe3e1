//! The settings are kept, encrypted if there is a key.

use pando_store::{StoreError, Tx, TxFuture};

use crate::app::{App, Failure};

crate::cases! {
    settings_are_kept,
    settings_of_a_failed_work_are_not,
    encrypted_settings_need_their_key,
}

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Work that names the application, and ends like that.
fn naming(
    name: &'static str,
    end: fn() -> Result<(), Failure>,
) -> impl for<'a> FnOnce(&'a mut Tx) -> TxFuture<'a, Result<(), Failure>> + Clone + Send + 'static {
    move |tx| {
        Box::pin(async move {
            let mut settings = pando_schema::Settings::clone(tx.settings());
            settings.meta.app_name = name.to_owned();
            tx.save_settings(settings, None).await?;
            assert_eq!(tx.settings().meta.app_name, name);
            end()
        })
    }
}

async fn settings_are_kept(app: &mut App) {
    for name in ["It's", "ünï \u{1f600}"] {
        app.store().write(naming(name, || Ok(()))).await.unwrap();
        assert_eq!(app.store().settings().meta.app_name, name);
    }
    app.reopen(|_| {}).await.unwrap();
    assert_eq!(app.store().settings().meta.app_name, "ünï \u{1f600}");
}

async fn settings_of_a_failed_work_are_not(app: &mut App) {
    app.store().write(naming("one", || Ok(()))).await.unwrap();
    app.store().write(naming("two", || Err(Failure::Undone))).await.unwrap_err();
    assert_eq!(app.store().settings().meta.app_name, "one");
    app.reopen(|_| {}).await.unwrap();
    assert_eq!(app.store().settings().meta.app_name, "one");
}

async fn encrypted_settings_need_their_key(app: &mut App) {
    app.reopen(|options| options.encryption_key = Some(KEY.to_owned())).await.unwrap();
    let saved = app.store().write(|tx| {
        Box::pin(async move {
            let mut settings = pando_schema::Settings::clone(tx.settings());
            settings.meta.app_name = "secret".to_owned();
            tx.save_settings(settings, Some(KEY)).await
        })
    });
    saved.await.unwrap();
    let without = app.reopen(|options| options.encryption_key = None).await;
    assert!(matches!(without, Err(StoreError::BadSettings(_))), "{without:?}");
    app.reopen(|options| options.encryption_key = Some(KEY.to_owned())).await.unwrap();
    assert_eq!(app.store().settings().meta.app_name, "secret");
}
